/** `unnest apply` through unnestd, which is a fake one: when it ends, what it says, what it sends. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { daemonClient, type DaemonClient } from '../../../src/channel/client.ts';
import { unixTransport } from '../../../src/channel/client-transport.ts';
import type { Condition } from '../../../src/report/condition.ts';
import type { DaemonEvent } from '../../../src/report/event.ts';
import type { PartitionStatus } from '../../../src/report/partition-status.ts';
import { secondaryDocument } from '../documents/parsing.ts';
import { type ApiPlace, apiPlace } from '../channel/api-place.ts';
import { partitionStatus, secondaryReport, teamA, web } from '../channel/fake-control.ts';
import { isStatus, notedClient, type Said } from './noted-client.ts';
import { run, type Surroundings } from './run.ts';
import { runUntilSeen } from './time-up.ts';
import { waitFor } from '../../support/wait-for.ts';

let place: ApiPlace;
let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'unnest-apply-'));
  place = await apiPlace();
});
afterEach(async () => {
  await place.dispose();
  rmSync(folder, { recursive: true });
});

const partition = teamA;
const documents = secondaryDocument('web');

const unnest = (argv: readonly string[], surroundings: Surroundings = {}) =>
  run([...argv, '-p', teamA, '--socket', place.socket], { stdin: documents, ...surroundings });
const apply = (argv: readonly string[] = [], surroundings: Surroundings = {}) =>
  unnest(['apply', '-f', '-', '--yes', ...argv], surroundings);
const applyUntil = (isEnough: (said: Said) => boolean) => {
  const argv = ['apply', '-f', '-', '--yes', '-p', teamA];
  return runUntilSeen(argv, place.socket, { stdin: documents }, isEnough);
};

const at = (second: number) => `2026-01-01T00:00:${`${second}`.padStart(2, '0')}.000Z`;
const pass = (second: number): PartitionStatus['lastPass'] => ({
  at: at(second),
  because: ['documents'],
  durationMs: 10,
  applied: 1,
  already: 0,
  failed: 0,
  skipped: 0,
  cancelled: 0,
  failures: [],
});
const accepted: DaemonEvent = {
  kind: 'submission-accepted',
  partition,
  generation: 7,
  source: 'Apply',
  submitter: 'uid 1000',
  documents: 1,
};
const started: DaemonEvent = { kind: 'pass-started', partition, because: ['documents'] };
const done: DaemonEvent = {
  kind: 'operation-finished',
  partition,
  operation: 'domain.define',
  resource: { kind: 'secondary', name: web },
  outcome: 'applied',
  durationMs: 12,
  detail: '',
};

const seven = (more: Partial<PartitionStatus> = {}) => partitionStatus({ generation: 7, ...more });
const blocked: Condition = {
  type: 'Blocked',
  status: 'True',
  reason: 'NameTaken',
  message: 'a \u001b[1mforeign\u001b[0m domain',
  since: at(1),
  generation: 7,
};

/** Once the command looks on, the rest of the story is told. */
async function whileApplying<T>(applying: Promise<T>, tell: () => Promise<void> | void) {
  await waitFor(() => expect(place.listeners()).toBe(3));
  await tell();
  return applying;
}

/** Whoever did has ended, and is not taken for who comes next. */
const nobodyLooks = () => waitFor(() => expect(place.listeners()).toBe(0));

/** As `apply`. `takes` waits until so much of what was said was taken, the status at first included. */
function noted(argv: readonly string[] = [], surroundings: Surroundings = {}) {
  const taken: Said[] = [];
  const client = notedClient(place.socket, (said) => taken.push(said));
  const takes = (count: number) => waitFor(() => expect(taken).toHaveLength(count));
  return { applying: apply(argv, { ...surroundings, findDaemon: async () => client }), takes };
}

describe('ends', () => {
  test('when a pass under the new documents has found everything in sync, and not before', async () => {
    const { applying, takes } = noted();
    const ran = await whileApplying(applying, async () => {
      // A pass from before is under way; the status has the new number already, and old contents.
      place.say({ kind: 'pass-started', partition, because: ['resync'] }, at(1));
      place.say(accepted, at(2));
      place.set(seven({ observedGeneration: 6 }));
      place.set(seven({ observedGeneration: 6, lastPass: pass(3) }));
      await takes(5);
      place.say(started, at(4));
      place.say(done, at(5));
      await takes(7);
      place.set(
        seven({ lastPass: pass(6), secondaries: [secondaryReport({ sync: 'OutOfSync' })] }),
      );
      await takes(8);
      place.set(seven({ lastPass: pass(7) }));
    });
    expect(ran).toEqual({
      code: 0,
      stderr: '',
      stdout: `accepted generation 7 (sha256:777777777777)
  web: define: done, 12 ms
Synced: the host has what generation 7 asks for.
`,
    });
  });

  test('saying what waits for a restart, and not that all is as it is to be', async () => {
    const conditions: Condition[] = [
      { ...blocked, type: 'RestartRequired', reason: 'ChangesWait', message: 'spec.vcpus' },
    ];
    const ran = await whileApplying(apply(), () => {
      place.say(accepted, at(2));
      const waiting = secondaryReport({ sync: 'OutOfSync', conditions });
      place.set(seven({ sync: 'OutOfSync', secondaries: [waiting] }));
    });
    expect(ran).toEqual({
      code: 0,
      stderr: '',
      stdout: `accepted generation 7 (sha256:777777777777)
Applied generation 7; waits for a restart: web (spec.vcpus)
`,
    });
  });

  test('with what is blocked, and exit code 3', async () => {
    const ran = await whileApplying(apply(), () => {
      place.say(accepted, at(2));
      place.say(started, at(3));
      const secondaries = [secondaryReport({ sync: 'Blocked', conditions: [blocked] })];
      place.set(seven({ sync: 'Blocked', lastPass: pass(4), secondaries }));
    });
    expect(ran).toMatchObject({ code: 3, stderr: '' });
    expect(ran.stdout).toContain('Not all of generation 7 could be done:\n');
    expect(ran.stdout).toContain('  web: NameTaken: a \\u001b[1mforeign\\u001b[0m domain\n');
  });

  test('by another look where the documents are in force already', async () => {
    // What it has found may no longer be so: perhaps that is why they are handed in again.
    const resources = [
      {
        kind: 'volume',
        name: 'data',
        sync: 'Blocked',
        message: 'FileMissing: x',
        phase: null,
      },
    ] as const;
    place.set(seven({ lastPass: pass(1), sync: 'Blocked', resources }));
    const result = place.result as Exclude<typeof place.result, null | (() => unknown)>;
    if (result.status === 'refused') throw new Error('not expected');
    place.result = { ...result, status: 'unchanged' };
    const { applying, takes } = noted();
    await takes(1);
    place.set(seven({ lastPass: pass(2) }));
    const { code, stdout } = await applying;
    expect(code).toBe(0);
    expect(stdout).toContain('nothing changed: generation 7 (sha256:777777777777) is in force\n');
    expect(stdout).toContain('Synced');
  });

  test('at once through an older daemon, which looks at nothing anew', async () => {
    place.set(seven({ lastPass: pass(1) }));
    const result = place.result as Exclude<typeof place.result, null | (() => unknown)>;
    if (result.status === 'refused') throw new Error('not expected');
    place.result = { ...result, status: 'unchanged' };
    const client = daemonClient(unixTransport(place.socket));
    const older: DaemonClient = {
      ...client,
      about: async (stop) => ({ ...(await client.about(stop)), features: [] }),
    };
    const argv = ['apply', '-f', '-', '--yes', '-p', teamA];
    const ran = await run(argv, { stdin: documents, findDaemon: async () => older });
    expect(ran).toMatchObject({ code: 0, stderr: '' });
  });

  test('at once with --no-wait', async () => {
    const { code, stdout } = await apply(['--no-wait']);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: 'accepted generation 7 (sha256:777777777777)\n',
    });
  });

  test('when the time is over, saying what was waited for, what is so, and that work goes on', async () => {
    const applying = applyUntil((said) => isStatus(said) && said.generation === 7);
    const ran = await whileApplying(applying, () => {
      place.say(accepted, at(2));
      place.say(started, at(3));
      const secondaries = [secondaryReport({ sync: 'OutOfSync' })];
      place.set(seven({ lastPass: pass(4), secondaries }));
    });
    expect(ran.code).toBe(6);
    expect(ran.stderr).toBe(
      `error: the time that --timeout gives was over while waiting for generation 7 of team-a: web is OutOfSync
  unnestd goes on with it; \`unnest status\` says how far it is
`,
    );
  });

  test('when the time is over before a pass has ended, saying how far that is', async () => {
    const idle = await applyUntil(isStatus);
    expect(idle.stderr).toContain('generation 7 of team-a: unnestd is at work on it\n');
    await nobodyLooks();
    const applying = applyUntil((said) => !isStatus(said) && said.event.kind === 'pass-started');
    const busy = await whileApplying(applying, () => {
      place.say(accepted, at(2));
      place.say(started, at(3));
    });
    expect(busy.stderr).toContain('generation 7 of team-a: unnestd is at work on it\n');
  });

  test('with Ctrl-C, and with a daemon that ends', async () => {
    const stop = new AbortController();
    const { applying, takes } = noted([], { stop: stop.signal });
    await takes(1);
    stop.abort();
    const interrupted = await applying;
    expect(interrupted.code).toBe(130);
    expect(interrupted.stderr).toContain('unnestd goes on with it');
    await nobodyLooks();
    const broken = await whileApplying(apply(), () => place.close());
    expect(broken.code).toBe(5);
    expect(broken.stderr).toContain('unnestd has ended');
  });
});

describe('sends', () => {
  test('the text as it is, and what may be deleted', async () => {
    await apply(['--no-wait', '--delete-everything', '--max-deletions', '3']);
    expect(place.calls).toMatchObject([
      {
        args: [
          teamA,
          {
            source: 'Apply',
            files: [{ path: '-', text: documents }],
            ifGeneration: null,
            deleteEverything: true,
            deletionsMax: 3,
          },
        ],
      },
    ]);
    await apply(['--no-wait']);
    const [, plain] = place.calls;
    expect(plain?.args[1]).toMatchObject({ deleteEverything: false, deletionsMax: null });
  });

  test('nothing where a mistake is seen here, which is shown with a caret', async () => {
    const stdin = secondaryDocument('web', 'vcpuz: 1');
    const { code, stderr } = await apply([], { stdin });
    expect(code).toBe(4);
    expect(stderr).toContain('UnknownField');
    expect(stderr).toMatch(/\n +\^\n/);
    expect(place.calls).toEqual([]);
  });

  test('what only the daemon can refuse, and shows its mistakes just so', async () => {
    const diagnostic = {
      code: 'InvalidValue' as const,
      file: '-',
      line: 2,
      column: 7,
      path: 'kind',
      message: 'the operator writes these',
      remedy: null,
      excerpt: 'kind: Partition',
    };
    place.result = { status: 'refused', code: 'Invalid', message: 'x', diagnostics: [diagnostic] };
    const { code, stderr } = await apply();
    expect(code).toBe(4);
    expect(stderr).toContain('-:2:7: InvalidValue: kind: the operator writes these\n');
    expect(stderr).toMatch(/\n +\^\n/);
  });

  test('nothing that another source rules', async () => {
    const message = 'this came by Apply';
    place.result = { status: 'refused', code: 'NotTheSource', message, diagnostics: [] };
    const { code, stderr } = await apply();
    expect({ code, stderr }).toEqual({
      code: 7,
      stderr: `error: ${message}\n  \`unnest explain NotTheSource\` says who may\n`,
    });
  });

  test('no saved plan', async () => {
    const { code, stderr } = await unnest(['apply', '--plan', 'x.json']);
    expect(code).toBe(64);
    expect(stderr).toContain('unnestd makes its own plans');
  });
});

describe('asks first', () => {
  const onHost = () => ({ UNNEST_HOST: `sim:${join(folder, 'host.json')}` });
  const ask = (argv: readonly string[], surroundings: Surroundings) =>
    unnest(['apply', '-f', '-', '--no-wait', ...argv], { variables: onHost(), ...surroundings });
  const onHostAlone = (stdin: string) =>
    run(['apply', '-f', '-', '-p', teamA], { stdin, variables: onHost() });

  test('where a guest would be deleted, after the plan; and sends what it was agreed to replace', async () => {
    expect((await onHostAlone(documents + secondaryDocument('old'))).code).toBe(0);
    const nobody = await ask([], {});
    expect(nobody.code).toBe(64);
    expect(nobody.stderr).toContain('this plan deletes 1, and there is nobody to ask');
    const no = await ask([], { answer: 'n' });
    expect(no.code).toBe(130);
    expect(place.calls).toEqual([]);
    const yes = await ask([], { answer: 'y' });
    expect(yes.code).toBe(0);
    expect(yes.stdout).toContain('old');
    expect(place.calls).toMatchObject([{ args: [teamA, { ifGeneration: 6 }] }]);
  });

  test('for --yes where what is seen from here is not what the daemon has', async () => {
    const { code, stderr } = await ask([], { answer: 'y' });
    expect(code).toBe(64);
    expect(stderr).toContain('unnestd knows web, and here it is not seen as one of this partition');
    expect(place.calls).toEqual([]);
  });

  test('nobody where nothing would be lost', async () => {
    place.set(partitionStatus({ secondaries: [] }));
    expect((await ask([], {})).code).toBe(0);
    expect(place.calls).toHaveLength(1);
  });

  test('for --yes where the host cannot be seen from here', async () => {
    const variables = { UNNEST_HOST: 'qemu:///system?socket=/nowhere/at/all' };
    const { code, stderr } = await ask([], { variables, answer: 'y' });
    expect(code).toBe(64);
    expect(stderr).toContain('what this would restart or delete cannot be seen from here');
    expect(stderr).toContain('say --yes');
    expect(place.calls).toEqual([]);
    expect((await ask(['--yes'], { variables })).code).toBe(0);
  });
});

test('-o json is one document, and the lines go elsewhere', async () => {
  const { applying, takes } = noted(['-o', 'json']);
  const ran = await whileApplying(applying, async () => {
    place.say(accepted, at(2));
    place.say(started, at(3));
    place.say(done, at(4));
    await takes(4);
    place.set(seven({ lastPass: pass(5) }));
  });
  expect(JSON.parse(ran.stdout)).toMatchObject({
    apiVersion: 'unnest.dev/apply/v1',
    submission: { status: 'accepted', generation: 7 },
    result: { status: 'synced', waiting: [] },
    status: { generation: 7, sync: 'Synced' },
  });
  expect(ran.stderr).toContain('web: define: done');
});

test('a partition that somebody holds is said to be unnestd’s, perhaps', async () => {
  const file = join(folder, 'web.yaml');
  writeFileSync(file, documents);
  const argv = ['apply', '-f', file, '-p', teamA, '--host', 'qemu:///system?socket=/nowhere'];
  const { lockPartition } = await import('../../../src/host/local/lock.ts');
  const lock = await lockPartition(folder, teamA);
  const { code, stderr } = await run([...argv, '--state-dir', folder]);
  const destroyed = await run(['destroy', 'web', ...argv.slice(3), '--state-dir', folder]);
  await lock.release();
  expect(destroyed.code).toBe(7);
  expect(destroyed.stderr).toContain(
    'it has the partition: take its document out and `unnest apply`, or `unnest drain`, or stop it',
  );
  expect(destroyed.stderr).not.toContain('--host');
  expect(code).toBe(7);
  expect(stderr).toContain('another process is changing partition team-a');
  expect(stderr).toContain('if unnestd runs here, it has the partition: leave out --host');
});
