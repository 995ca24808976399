/** Status files: what is written when, what a pass that did nothing leaves, and what failures cost. */
import { describe, expect, test } from 'vitest';
import { openStatusWriter } from '../../../../src/daemon/watching/status-writer.ts';
import type { PartitionName } from '../../../../src/model/names.ts';
import type { DaemonEvent } from '../../../../src/report/event.ts';
import type { PartitionStatus } from '../../../../src/report/partition-status.ts';
import { virtualRuntime } from '../../../support/virtual-runtime.ts';
import { partition } from './every-event.ts';
import { passOf, statusOf } from './statuses.ts';

const folder = '/run/unnest/status';
const path = `${folder}/team-a.json`;

async function opened(runtime = virtualRuntime()) {
  const events: DaemonEvent[] = [];
  const { files, timers } = runtime;
  const writer = await openStatusWriter({ files, timers, folder, emit: (e) => events.push(e) });
  const stored = (at = path) => {
    const node = runtime.disk.find(at)?.node;
    if (node?.kind !== 'file') return null;
    return JSON.parse(new TextDecoder().decode(node.bytes)) as PartitionStatus;
  };
  const swaps = () => files.uses.filter(({ call }) => call === 'swap').length;
  return { runtime, writer, events, stored, swaps };
}

describe('status files', () => {
  test('are written whole, for the group to read', async () => {
    const { runtime, writer, stored } = await opened();
    writer.update(statusOf());
    await runtime.settle();
    expect(stored()).toEqual(statusOf());
    expect(runtime.disk.find(path)?.node).toMatchObject({ mode: 0o640 });
    expect(runtime.disk.find(folder)?.node).toMatchObject({ kind: 'folder', mode: 0o750 });
  });

  test('are not touched by passes that do nothing', async () => {
    const { runtime, writer, stored, swaps } = await opened();
    const applied = passOf({ applied: 3, because: ['documents'] });
    writer.update(statusOf({ lastPass: applied }));
    await runtime.advance(1000);
    for (let n = 0; n < 10; n += 1) {
      writer.update(
        statusOf({ lastPass: passOf({ at: `2026-01-02T03:04:1${n}.000Z`, already: n }) }),
      );
      await runtime.advance(1000);
    }
    expect(swaps()).toBe(1);
    // So that the file goes on telling what was done last.
    expect(stored()?.lastPass).toEqual(applied);
  });

  test('are written for a pass that did something, and for everything else that differs', async () => {
    const { runtime, writer, stored, swaps } = await opened();
    const different: readonly Partial<PartitionStatus>[] = [
      {},
      { lastPass: passOf({ failed: 1, failures: ['web: refused'] }) },
      {
        lastPass: passOf({ failed: 1, failures: ['web: refused'], at: '2026-01-03T00:00:00.000Z' }),
      },
      { lastPass: passOf({ applied: 1 }) },
      { lastPass: passOf(), nextTryAt: '2026-01-02T03:05:00.000Z' },
      { sync: 'OutOfSync' },
      { generation: 4 },
    ];
    for (const more of different) {
      writer.update(statusOf(more));
      await runtime.advance(1000);
      expect(stored()).toEqual(statusOf(more));
    }
    expect(swaps()).toBe(different.length);
  });

  test('are written ten times a second at most, the last state always', async () => {
    const { runtime, writer, stored, swaps } = await opened();
    for (let generation = 1; generation <= 1000; generation += 1) {
      writer.update(statusOf({ generation }));
      await runtime.advance(1);
    }
    expect(swaps()).toBeLessThanOrEqual(11);
    expect(swaps()).toBeGreaterThanOrEqual(9);
    await runtime.advance(200);
    expect(stored()?.generation).toBe(1000);
  });

  test('a change and its taking back within the gap write nothing', async () => {
    const { runtime, writer, swaps } = await opened();
    writer.update(statusOf());
    await runtime.settle();
    writer.update(statusOf({ generation: 4 }));
    writer.update(statusOf());
    await runtime.advance(1000);
    expect(swaps()).toBe(1);
  });

  test('a failed write is said once, and tried again after 10 s', async () => {
    const { runtime, writer, events, stored, swaps } = await opened();
    runtime.files.faults.push(({ call }) => (call === 'swap' ? 'NoSpace' : null));
    writer.update(statusOf());
    await runtime.advance(45_000);
    expect(events).toEqual([
      { kind: 'status-not-written', partition, message: expect.stringContaining(path) },
    ]);
    expect(swaps()).toBe(5);
    runtime.files.faults.length = 0;
    await runtime.advance(10_000);
    expect(stored()).toEqual(statusOf());
    expect(events).toHaveLength(1);
  });

  test('a failed write is tried again with the next change, and a new failure is said anew', async () => {
    const { runtime, writer, events, stored } = await opened();
    const fail = () =>
      runtime.files.faults.push(({ call }) => (call === 'swap' ? 'ReadOnly' : null));
    fail();
    writer.update(statusOf());
    await runtime.advance(1000);
    runtime.files.faults.length = 0;
    writer.update(statusOf({ generation: 4 }));
    await runtime.advance(100);
    expect(stored()?.generation).toBe(4);
    fail();
    writer.update(statusOf({ generation: 5 }));
    await runtime.advance(1000);
    expect(events).toHaveLength(2);
  });

  test('changes while the disk is full make ten attempts a second at most', async () => {
    const { runtime, writer, swaps } = await opened();
    runtime.files.faults.push(({ call }) => (call === 'swap' ? 'NoSpace' : null));
    for (let generation = 1; generation <= 1000; generation += 1) {
      writer.update(statusOf({ generation }));
      await runtime.advance(1);
    }
    expect(swaps()).toBeLessThanOrEqual(11);
  });

  test('go when the partition goes, and come back when it does', async () => {
    const { runtime, writer, stored } = await opened();
    writer.update(statusOf());
    writer.remove(partition);
    await runtime.advance(1000);
    expect(stored()).toBeNull();
    writer.update(statusOf());
    await runtime.advance(1000);
    expect(stored()).toEqual(statusOf());
  });

  test('one partition does not wait for another', async () => {
    const { runtime, writer, stored } = await opened();
    runtime.files.faults.push((use) => (use.path === path ? 'NoSpace' : null));
    writer.update(statusOf());
    writer.update(statusOf({ partition: 'team-b' as PartitionName }));
    await runtime.settle();
    expect(stored(`${folder}/team-b.json`)).toMatchObject({ partition: 'team-b' });
  });

  test('what a crash has left of partitions that are no more is swept, and nothing else', async () => {
    const runtime = virtualRuntime();
    for (const name of ['old.json', 'team-a.json', 'README', 'Not-a-name.json', 'notes.txt']) {
      runtime.disk.write(`${folder}/${name}`, '{}');
    }
    runtime.disk.folder(`${folder}/folder.json`);
    const { writer } = await opened(runtime);
    await writer.sweep(new Set([partition]));
    const left = (await runtime.files.list(folder)).map(({ name }) => name).sort();
    expect(left).toEqual(['Not-a-name.json', 'README', 'folder.json', 'notes.txt', 'team-a.json']);
  });

  test('the last state is written when the daemon ends, and nothing after', async () => {
    const { runtime, writer, stored } = await opened();
    writer.update(statusOf());
    await runtime.settle();
    writer.update(statusOf({ generation: 4 }));
    await writer.close();
    expect(stored()?.generation).toBe(4);
    writer.update(statusOf({ generation: 5 }));
    await runtime.advance(60_000);
    expect(stored()?.generation).toBe(4);
  });
});
