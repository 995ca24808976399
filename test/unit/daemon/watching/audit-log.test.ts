/** Who has asked for what: added to, kept in bounds, and read back whatever has happened to the files. */
import { beforeEach, describe, expect, test } from 'vitest';
import { AuditLog, auditLimits } from '../../../../src/daemon/watching/audit-log.ts';
import type { PartitionName } from '../../../../src/model/names.ts';
import type { AuditEntry } from '../../../../src/report/audit.ts';
import { type VirtualRuntime, virtualRuntime } from '../../../support/virtual-runtime.ts';
import { writesFail } from '../../../support/virtual-files.ts';

const folder = '/var/lib/unnest/audit';

function entry(more: Partial<AuditEntry> = {}): AuditEntry {
  return {
    at: '2026-01-01T00:00:00.000Z',
    by: 'uid 0, pid 7',
    from: 'operator',
    partition: 'team-a' as PartitionName,
    request: 'PUT desired',
    outcome: 'ok',
    generation: 1,
    ...more,
  };
}

let runtime: VirtualRuntime;
let failures: string[];
let log: AuditLog;
beforeEach(() => {
  runtime = virtualRuntime();
  runtime.disk.folder('/var/lib/unnest');
  begin();
});

function begin(): void {
  failures = [];
  log = new AuditLog({
    files: runtime.files,
    folder,
    onFailure: (message) => failures.push(message),
  });
}

async function written(entries: readonly AuditEntry[]): Promise<void> {
  for (const each of entries) log.record(each);
  await log.close();
}

const names = async () => (await runtime.files.list(folder)).map(({ name }) => name);
const all = () => log.last(1000, () => true);

test('is read back as it was written, the last ones of those that are wanted', async () => {
  const entries = Array.from({ length: 10 }, (_, index) => entry({ generation: index }));
  await written(entries);
  await written([entry({ partition: 'team-b' as PartitionName })]);
  expect(await log.last(3, ({ partition }) => partition === 'team-a')).toEqual(entries.slice(-3));
  expect(await all()).toHaveLength(11);
});

test('nothing was asked for yet', async () => {
  expect(await all()).toEqual([]);
});

test('goes on where another daemon has ended, in a file a day', async () => {
  await written([entry()]);
  begin();
  await written([entry({ generation: 2 })]);
  expect(await names()).toEqual(['2026-01-01.0001.jsonl']);
  await written([entry({ at: '2026-01-02T00:00:00.000Z', generation: 3 })]);
  expect(await names()).toEqual(['2026-01-01.0001.jsonl', '2026-01-02.0001.jsonl']);
  expect((await all()).map(({ generation }) => generation)).toEqual([1, 2, 3]);
});

test('a large file is followed by another, and the oldest go', async () => {
  const by = 'x'.repeat(auditLimits.fileBytesMax);
  for (let count = 0; count < auditLimits.filesMax + 3; count += 1) {
    await written([entry({ by, generation: count })]);
  }
  const left = await names();
  expect(left).toHaveLength(auditLimits.filesMax);
  expect(left[0]).toBe('2026-01-01.0004.jsonl');
});

test('a line that a crash has cut off is passed over, and others are not', async () => {
  await written([entry()]);
  const path = `${folder}/2026-01-01.0001.jsonl`;
  await runtime.files.append(path, '{"at":"2026-', 0o640);
  await runtime.files.append(path, '\n[]\n', 0o640);
  begin();
  await written([entry({ generation: 2 })]);
  expect(await all()).toEqual([entry(), entry({ generation: 2 })]);
});

test('files of others in its folder stay, and are not read', async () => {
  await written([entry()]);
  runtime.disk.write(`${folder}/notes.txt`, JSON.stringify(entry({ generation: 9 })));
  expect(await all()).toEqual([entry()]);
});

describe('what could not be written', () => {
  test('is told once, and counted in the next line that could be', async () => {
    runtime.files.faults.push(writesFail('NoSpace', folder));
    await written([entry()]);
    await written([entry(), entry()]);
    expect(failures).toHaveLength(1);
    runtime.files.faults.length = 0;
    await written([entry({ generation: 4 })]);
    // What still waited then is not lost.
    expect(await all()).toEqual([{ ...entry(), lost: 2 }, entry({ generation: 4 })]);
    runtime.files.faults.push(writesFail('NoSpace', folder));
    await written([entry()]);
    expect(failures).toHaveLength(2);
  });

  test('does not pile up', async () => {
    for (let count = 0; count < auditLimits.waitingMax + 50; count += 1) log.record(entry());
    await log.close();
    await written([entry({ generation: 9 })]);
    const found = await log.last(auditLimits.waitingMax * 2, () => true);
    expect(found.length).toBeLessThanOrEqual(auditLimits.waitingMax + 2);
    expect(JSON.stringify(found)).toMatch(/"lost":\d+/);
  });
});
