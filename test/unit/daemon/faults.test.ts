/** What goes wrong around a daemon costs the partition that it happens to, and nobody else. */
import { describe, expect, test } from 'vitest';
import type { DocumentParser, ParserFailureCode } from '../../../src/daemon/parser.ts';
import type { FileErrorCode } from '../../../src/daemon/runtime.ts';
import { seal } from '../../../src/daemon/accepted/sealed-file.ts';
import type { PartitionName } from '../../../src/model/names.ts';
import { partition } from '../../support/passes.ts';
import { worldOf } from '../../support/simulation.ts';
import {
  desiredStateDir,
  honestParser,
  secondaryNamed,
  secondaryText,
  stateDir,
  virtualDaemon,
} from '../../support/virtual-daemon.ts';
import { virtualRuntime } from '../../support/virtual-runtime.ts';

const other = 'team-b' as PartitionName;

/** A worker that fails for one partition, and is honest for all others. */
function failing(code: ParserFailureCode): DocumentParser {
  return {
    ...honestParser,
    parse: async (name, files, signal) =>
      name === partition
        ? { status: 'failed', code, message: 'as the test says' }
        : honestParser.parse(name, files, signal),
  };
}

describe('a worker that fails', () => {
  test.each(['Unavailable', 'Outside', 'Hung', 'Died', 'Oversized', 'Forged'] as const)(
    '(%s) costs its own partition one condition',
    async (code) => {
      const world = worldOf({ files: ['vmlinuz'] });
      world.files.set(other, new Map(world.files.get(partition)));
      const partitions = [partition, other];
      const daemon = virtualDaemon({
        source: 'Directory',
        partitions,
        parser: failing(code),
        world,
      });
      daemon.runtime.disk.write(`${desiredStateDir}/${partition}/web.yaml`, secondaryText('web'));
      daemon.runtime.disk.write(`${desiredStateDir}/${other}/web.yaml`, secondaryText('web'));
      await daemon.advance(60_000);
      expect(daemon.condition('DocumentsValid')).toMatch(new RegExp(`^False NotRead .*${code}`));
      expect(daemon.control.status(other)?.sync).toBe('Synced');
      expect(daemon.events).toContainEqual(
        expect.objectContaining({ kind: 'worker-failed', partition, code }),
      );
    },
  );

  test('is said where documents were handed in, too, until others were read', async () => {
    const answers: ParserFailureCode[] = ['Outside'];
    const parser: DocumentParser = {
      ...honestParser,
      parse: async (name, files, signal) => {
        const code = answers.shift();
        if (code === undefined) return honestParser.parse(name, files, signal);
        return { status: 'failed', code, message: 'not in the slice' };
      },
    };
    const daemon = virtualDaemon({ parser });
    expect(await daemon.submit(secondaryText('web'))).toMatchObject({ code: 'NotRead' });
    await daemon.advance(1000);
    expect(daemon.condition('DocumentsValid')).toBe('False NotRead Outside: not in the slice');
    await daemon.submit(secondaryText('web'));
    await daemon.advance(1000);
    expect(daemon.condition('DocumentsValid')).toMatch(/^True Valid/);
  });

  test('is asked again, without anybody touching the files', async () => {
    const answers: ParserFailureCode[] = ['Died', 'Hung'];
    const parser: DocumentParser = {
      ...honestParser,
      parse: async (name, files, signal) => {
        const code = answers.shift();
        if (code === undefined) return honestParser.parse(name, files, signal);
        return { status: 'failed', code, message: 'once' };
      },
    };
    const daemon = virtualDaemon({ source: 'Directory', parser });
    daemon.runtime.disk.write(`${desiredStateDir}/${partition}/web.yaml`, secondaryText('web'));
    await daemon.advance(120_000);
    expect(daemon.words('web')).toBe('Running Synced Healthy');
  });

  test('takes nothing from operators', async () => {
    const daemon = virtualDaemon();
    await daemon.submit(secondaryText('web'));
    await daemon.advance(1000);
    const next = virtualDaemon({
      runtime: daemon.crash(),
      world: daemon.world,
      parser: failing('Unavailable'),
    });
    await next.advance(1000);
    expect(next.words('web')).toBe('Running Synced Healthy');
    await next.control.power(partition, secondaryNamed('web'), 'restart', 'uid 0');
    await next.advance(10_000);
    expect(next.writes.filter((each) => each.startsWith('start '))).toHaveLength(1);
    await next.control.drain(partition, 'uid 0');
    await next.advance(60_000);
    expect(next.world.domains.size).toBe(0);
  });

  test('whose answer was forged is not believed', async () => {
    const forged = [
      { file: 'web.yaml', value: { kind: 'Partition', metadata: { name: partition } } },
    ];
    const parser: DocumentParser = {
      ...honestParser,
      parse: async () => ({ status: 'parsed', documents: forged }),
    };
    const daemon = virtualDaemon({ parser });
    expect(await daemon.submit(secondaryText('web'))).toMatchObject({
      status: 'refused',
      diagnostics: [{ code: 'OperatorsOnly' }],
    });
  });
});

describe('a disk that takes no writes', () => {
  const codes: readonly FileErrorCode[] = ['NoSpace', 'ReadOnly', 'PermissionDenied', 'Failed'];

  test.each(codes)('(%s) refuses documents, and what is in force stays', async (code) => {
    const daemon = virtualDaemon();
    await daemon.submit(secondaryText('web'));
    await daemon.advance(1000);
    daemon.runtime.files.faults.push(({ call }) => (call === 'replace' ? code : null));
    expect(await daemon.submit(secondaryText('db'))).toMatchObject({ code: 'NotStored' });
    const hold = { secondary: null, reason: 'r', submitter: 'uid 0', expiresAt: null };
    expect(await daemon.control.pause(partition, hold)).toMatchObject({ code: 'NotStored' });
    daemon.world.domains.clear();
    await daemon.advance(400_000);
    expect(daemon.words('web')).toBe('Running Synced Healthy');
    daemon.runtime.files.faults.length = 0;
    expect(await daemon.submit(secondaryText('web') + secondaryText('db'))).toMatchObject({
      status: 'accepted',
    });
  });

  test('and has room again takes the files that were refused, without anybody touching them', async () => {
    const daemon = virtualDaemon({ source: 'Directory' });
    daemon.runtime.files.faults.push(({ call }) => (call === 'replace' ? 'NoSpace' : null));
    daemon.runtime.disk.write(`${desiredStateDir}/${partition}/web.yaml`, secondaryText('web'));
    await daemon.advance(10_000);
    expect(daemon.condition('DocumentsValid')).toMatch(/^False NotStored/);
    daemon.runtime.files.faults.length = 0;
    await daemon.advance(31_000);
    expect(daemon.words('web')).toBe('Running Synced Healthy');
    expect(daemon.condition('DocumentsValid')).toBe('True Valid');
  });

  test('cannot keep a request from being done once only', async () => {
    const daemon = virtualDaemon();
    await daemon.submit(secondaryText('web'));
    await daemon.advance(1000);
    await daemon.control.power(partition, secondaryNamed('web'), 'restart', 'uid 0');
    daemon.runtime.files.faults.push(({ call }) => (call === 'replace' ? 'NoSpace' : null));
    await daemon.advance(1_000_000);
    expect(daemon.writes.filter((each) => each.startsWith('start '))).toHaveLength(2);
  });
});

describe('what was accepted', () => {
  test('and cannot be read is not taken for nothing', async () => {
    const daemon = virtualDaemon();
    await daemon.submit(secondaryText('web'));
    await daemon.advance(1000);
    const runtime = daemon.crash();
    runtime.files.faults.push(({ call }) => (call === 'list' ? 'PermissionDenied' : null));
    const next = virtualDaemon({ runtime, world: daemon.world });
    await next.advance(600_000);
    expect(next.condition('Accepted')).toMatch(/^Unknown NotOpen/);
    expect(next.writes).toEqual([]);
    runtime.files.faults.length = 0;
    await next.advance(10_000);
    expect(next.words('web')).toBe('Running Synced Healthy');
  });

  test('and is torn is replaced by what was before, and nothing is deleted for it', async () => {
    const daemon = virtualDaemon();
    await daemon.submit(secondaryText('web'));
    await daemon.submit(secondaryText('web') + secondaryText('db'));
    await daemon.advance(1000);
    const runtime = daemon.crash();
    const newest = `${stateDir}/${partition}/accepted/000000000002.json`;
    runtime.disk.write(newest, 'torn');
    const next = virtualDaemon({ runtime, world: daemon.world });
    await next.advance(600_000);
    expect(next.condition('Accepted')).toMatch(/^False Torn/);
    expect(next.world.domains.size).toBe(2);
    expect(next.events).toContainEqual(
      expect.objectContaining({ kind: 'bundle-torn', generation: 2 }),
    );
    expect(await next.submit(secondaryText('web'))).toMatchObject({
      status: 'accepted',
      bundle: { generation: 3 },
    });
    await next.advance(60_000);
    expect(next.world.domains.size).toBe(1);
  });

  test('and does not go with a new description stays in force as it was', async () => {
    const daemon = virtualDaemon();
    await daemon.submit(secondaryText('web'));
    await daemon.advance(1000);
    daemon.supervisor.describe(
      new Map([
        [
          partition,
          {
            file: 'team-a.yaml',
            value: {
              apiVersion: 'unnest.dev/v1',
              kind: 'Partition',
              metadata: { name: partition },
              spec: { source: 'Apply', limits: 'none' },
            },
          },
        ],
      ]),
    );
    daemon.world.domains.clear();
    await daemon.advance(600_000);
    expect(daemon.condition('Accepted')).toMatch(
      /^False NoLongerValid what was valid before stays/,
    );
    expect(daemon.words('web')).toBe('Running Synced Healthy');
  });
});

test('documents that a new daemon does not understand are kept, and nothing is done', async () => {
  const daemon = virtualDaemon();
  await daemon.submit(secondaryText('web'));
  await daemon.advance(1000);
  const runtime = daemon.crash();
  const path = `${stateDir}/${partition}/accepted/000000000001.json`;
  const text = new TextDecoder().decode(
    await virtualRuntime({ disk: runtime.disk }).files.read(path, 2 ** 20),
  );
  const body = text.slice(text.indexOf('\n') + 1).replace('"vcpus":1', '"vcpus":"1"');
  runtime.disk.write(path, seal('accepted', JSON.parse(body)));
  const next = virtualDaemon({ runtime, world: daemon.world });
  next.world.domains.clear();
  await next.advance(600_000);
  expect(next.condition('Accepted')).toMatch(/^False NoLongerValid/);
  expect(next.status().sync).toBe('Unknown');
  expect(next.writes).toEqual([]);
});

describe('wishes that cannot be read', () => {
  test('leave everybody alone until somebody resumes', async () => {
    const daemon = virtualDaemon();
    await daemon.submit(secondaryText('web'));
    await daemon.advance(1000);
    const runtime = daemon.crash();
    runtime.disk.write(`${stateDir}/${partition}/wishes.json`, 'torn');
    const next = virtualDaemon({ runtime, world: daemon.world });
    next.world.domains.clear();
    await next.advance(600_000);
    expect(next.world.domains.size).toBe(0);
    expect(next.condition('Paused')).toMatch(/^True Held/);
    await next.control.resume(partition, null, 'uid 0');
    await next.advance(1000);
    expect(next.words('web')).toBe('Running Synced Healthy');
  });
});

describe("people's clocks", () => {
  test.each([-10, 10])('may jump by %i years', async (years) => {
    const runtime = virtualRuntime();
    const daemon = virtualDaemon({ runtime });
    await daemon.submit(secondaryText('web'));
    await daemon.advance(1000);
    runtime.time.setWall(runtime.clock.wall() + years * 365 * 86_400_000);
    const passes = () => daemon.events.filter(({ kind }) => kind === 'pass-started').length;
    const before = passes();
    daemon.world.domains.clear();
    await daemon.advance(3_600_000);
    expect(daemon.words('web')).toBe('Running Synced Healthy');
    // One every five minutes, and one more for the repair.
    expect(passes() - before).toBeLessThan(20);
    expect(passes() - before).toBeGreaterThan(10);
  });
});
