import { beforeEach, describe, expect, test } from 'vitest';
import {
  historyBytesMax,
  historyMax,
  type Kept,
  within,
} from '../../../../src/daemon/accepted/accepted-folder.ts';
import { bundleFileBytesMax } from '../../../../src/daemon/accepted/bundle-file.ts';
import { emptied } from '../../../../src/daemon/accepted/operator-submissions.ts';
import { FileError, type Files } from '../../../../src/daemon/runtime.ts';
import type { PartitionName } from '../../../../src/model/names.ts';
import type { SubmissionResult } from '../../../../src/report/submission.ts';
import { callFails, writesFail } from '../../../support/virtual-files.ts';
import { type VirtualRuntime, virtualRuntime } from '../../../support/virtual-runtime.ts';
import {
  at,
  fileOf,
  folder,
  open,
  opened,
  partition,
  secondary,
  submission,
} from './submissions.ts';

let runtime: VirtualRuntime;
beforeEach(() => {
  runtime = virtualRuntime();
});

const web = (memory: string) => submission({ documents: [secondary('web', { memory })] });

/** `accepted 3`, `refused StaleGeneration`. */
function said(result: SubmissionResult): string {
  const detail = result.status === 'refused' ? result.code : result.bundle.generation;
  return `${result.status} ${detail}`;
}

describe('accepting', () => {
  test('nothing is in force where nothing was accepted', async () => {
    const store = await opened(runtime);
    expect(store.inForce).toBeNull();
    expect(store.history).toEqual([]);
    expect(runtime.files.writes).toBe(0);
  });

  test('it is in force, in memory and on the disk', async () => {
    const store = await opened(runtime);
    const result = await store.accept(submission({ deletionsMax: 3 }), at);
    expect(result).toEqual({
      status: 'accepted',
      bundle: {
        partition,
        generation: 1,
        digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
        acceptedAt: at,
        source: 'Apply',
        submitter: 'uid 1000',
        rollbackOf: null,
        deleteEverything: false,
        deletionsMax: 3,
        documentCount: 1,
      },
    });
    const again = await opened(runtime.restart({ losePower: true }));
    expect(again.inForce).toEqual(store.inForce);
    expect(again.inForce?.documents).toEqual([secondary('web')]);
    expect(again.history).toEqual(store.history);
    expect(runtime.disk.filesBelow(folder)).toEqual([fileOf(1)]);
    expect(runtime.disk.modeOf(fileOf(1))).toBe(0o600);
    expect(runtime.disk.text(fileOf(1))).toMatch(
      /^\{"unnest":"accepted","version":1,"sha256":"[0-9a-f]{64}"\}\n\{"partition":/,
    );
  });

  test('the same in another order, in other files, with its keys in another order, is unchanged', async () => {
    const store = await opened(runtime);
    await store.accept(
      submission({ documents: [secondary('a', { x: 1, y: 2 }), secondary('b')] }),
      at,
    );
    const { writes } = runtime.files;
    const moved = { ...secondary('a', { y: 2, x: 1 }), file: 'all.yaml' };
    const result = await store.accept(submission({ documents: [secondary('b'), moved] }), at);
    expect(said(result)).toBe('unchanged 1');
    expect(runtime.files.writes).toBe(writes);
  });

  test('the same with leave to delete more is not unchanged', async () => {
    const store = await opened(runtime);
    await store.accept(submission(), at);
    expect(said(await store.accept(submission({ deletionsMax: 5 }), at))).toBe('accepted 2');
    expect(said(await store.accept(submission({ deletionsMax: 4 }), at))).toBe('unchanged 2');
    expect(said(await store.accept(submission(), at))).toBe('unchanged 2');
    expect(said(await store.accept(submission({ deleteEverything: true }), at))).toBe('accepted 3');
    expect(said(await store.accept(submission({ deleteEverything: true }), at))).toBe(
      'unchanged 3',
    );
  });

  test('two at once are one after the other', async () => {
    const store = await opened(runtime);
    const results = await Promise.all([
      store.accept(web('1GiB'), at),
      store.accept(web('2GiB'), at),
    ]);
    expect(results.map(said)).toEqual(['accepted 1', 'accepted 2']);
  });

  test('a partition without anything is accepted as such', async () => {
    const store = await opened(runtime);
    await store.accept(submission(), at);
    await store.accept(emptied(partition, 'Apply', 'uid 0'), at);
    expect(store.inForce).toMatchObject({ generation: 2, documents: [], deleteEverything: false });
  });

  test.each([
    ['a number that JSON has not', { documents: [secondary('a', { x: Number.NaN })] }],
    ['a value that JSON has not', { documents: [secondary('a', { x: new Date(0) })] }],
    ['a hole', { documents: [secondary('a', { x: Array(2) })] }],
    ['control characters in a name of a file', { documents: [{ file: '\u001b[2J', value: {} }] }],
    ['control characters in the submitter', { submitter: 'me\nyou' }],
    ['less than no deletions', { deletionsMax: -1 }],
    ['a generation below one', { generation: 0 }],
    ['half a generation', { generation: 1.5 }],
    ['a generation beyond the name of a file', { generation: 1e12 }],
  ])('%s is refused', async (_, overrides) => {
    const store = await opened(runtime);
    expect(said(await store.accept(submission(overrides), at))).toBe('refused Invalid');
    expect(store.inForce).toBeNull();
    expect(runtime.files.writes).toBe(0);
  });

  test('a value nested without end is refused, and nobody falls over it', async () => {
    let x: unknown = 1;
    for (let depth = 0; depth < 100_000; depth += 1) x = [x];
    const store = await opened(runtime);
    const result = await store.accept(submission({ documents: [secondary('a', { x })] }), at);
    expect(said(result)).toBe('refused Invalid');
  });

  test('keys that mean something to JavaScript come back as they were', async () => {
    const spec = JSON.parse('{"__proto__":{"a":1},"constructor":2,"toJSON":3}') as object;
    const store = await opened(runtime);
    await store.accept(submission({ documents: [secondary('a', spec)] }), at);
    const again = await opened(runtime.restart());
    expect(JSON.stringify(again.inForce)).toBe(JSON.stringify(store.inForce));
    expect(again.inForce?.digest).toBe(store.inForce?.digest);
    expect(JSON.stringify(again.inForce)).toContain('"__proto__":{"a":1}');
  });

  test('of another partition is refused', async () => {
    const store = await opened(runtime);
    const other = submission({ partition: 'team-b' as PartitionName });
    expect(said(await store.accept(other, at))).toBe('refused NoPartition');
    await store.accept(submission(), at);
    expect(said(await store.accept(other, at))).toBe('refused NoPartition');
  });
});

describe('generations', () => {
  test('a submitter may count', async () => {
    const store = await opened(runtime);
    expect(said(await store.accept(submission({ generation: 7 }), at))).toBe('accepted 7');
    expect(said(await store.accept(submission({ generation: 7 }), at))).toBe('unchanged 7');
    expect(said(await store.accept({ ...web('1GiB'), generation: 7 }, at))).toBe(
      'refused GenerationReused',
    );
    expect(said(await store.accept(submission({ generation: 6 }), at))).toBe(
      'refused StaleGeneration',
    );
    expect(said(await store.accept(web('1GiB'), at))).toBe('accepted 8');
  });

  test('the same content with a greater number is taken down, so that what comes late is stale', async () => {
    const store = await opened(runtime);
    await store.accept(submission({ generation: 7 }), at);
    expect(said(await store.accept(submission({ generation: 9 }), at))).toBe('accepted 9');
    expect(said(await store.accept({ ...web('1GiB'), generation: 8 }, at))).toBe(
      'refused StaleGeneration',
    );
  });

  test('leave to delete more does not come in under a number that is in force', async () => {
    const store = await opened(runtime);
    await store.accept(submission({ generation: 7 }), at);
    const more = submission({ generation: 7, deleteEverything: true });
    expect(said(await store.accept(more, at))).toBe('refused GenerationReused');
  });

  test('only if that one is in force', async () => {
    const store = await opened(runtime);
    expect(said(await store.accept(submission({ ifGeneration: 1 }), at))).toBe(
      'refused NotInForce',
    );
    expect(said(await store.accept(submission({ ifGeneration: 0 }), at))).toBe('accepted 1');
    expect(said(await store.accept({ ...web('1GiB'), ifGeneration: 0 }, at))).toBe(
      'refused NotInForce',
    );
    expect(said(await store.accept({ ...web('1GiB'), ifGeneration: 1 }, at))).toBe('accepted 2');
  });

  test('after the last number there is none', async () => {
    const store = await opened(runtime);
    await store.accept(submission({ generation: 999_999_999_999 }), at);
    expect(said(await store.accept(web('1GiB'), at))).toBe('refused NotStored');
    expect(store.inForce?.generation).toBe(999_999_999_999);
  });
});

describe('what cannot be written down is not in force', () => {
  test.each(['NoSpace', 'ReadOnly', 'PermissionDenied', 'Failed'] as const)('%s', async (code) => {
    const store = await opened(runtime);
    await store.accept(submission(), at);
    const before = store.inForce;
    runtime.files.faults.push(writesFail(code));
    const result = await store.accept(web('1GiB'), at);
    expect(said(result)).toBe('refused NotStored');
    expect(store.inForce).toBe(before);
    expect(store.history).toHaveLength(1);
    runtime.files.faults.length = 0;
    expect((await opened(runtime)).inForce).toEqual(before);
    expect(said(await store.accept(web('1GiB'), at))).toBe('accepted 2');
  });

  test('not even if it stands there, and only could not be flushed', async () => {
    const { files } = runtime;
    await (await opened(runtime)).accept(submission(), at);
    const flushless: Files = {
      ...files,
      replace: async (path, content, mode) => {
        await files.replace(path, content, mode);
        throw new FileError('Failed', `flushing ${folder}`);
      },
    };
    const store = await opened(runtime, flushless);
    expect(said(await store.accept(web('1GiB'), at))).toBe('refused NotStored');
    expect(runtime.disk.filesBelow(folder)).toEqual([fileOf(1)]);
    expect((await opened(runtime.restart())).inForce?.generation).toBe(1);
  });
});

describe('what is too old', () => {
  test('is removed, and the numbers go on', async () => {
    const store = await opened(runtime);
    for (let n = 0; n < historyMax + 5; n += 1) await store.accept(web(`${n + 1}GiB`), at);
    expect(store.history).toHaveLength(historyMax);
    expect(store.history[0]?.generation).toBe(historyMax + 5);
    expect(runtime.disk.filesBelow(folder)).toHaveLength(historyMax);
    const again = await opened(runtime.restart());
    expect(again.history).toEqual(store.history);
  });

  test('and cannot be removed, is no failure, and is tried again', async () => {
    const store = await opened(runtime);
    for (let n = 0; n < historyMax; n += 1) await store.accept(web(`${n + 1}GiB`), at);
    runtime.files.faults.push(callFails('remove', 'Failed'));
    expect(said(await store.accept(web('1TiB'), at))).toBe(`accepted ${historyMax + 1}`);
    expect(runtime.disk.filesBelow(folder)).toHaveLength(historyMax + 1);
    runtime.files.faults.length = 0;
    await store.accept(web('2TiB'), at);
    expect(runtime.disk.filesBelow(folder)).toHaveLength(historyMax);
  });

  test('what a crash has left of one that was being written is removed, and nothing else is', async () => {
    runtime.disk.write(`${folder}/.000000000001.json.0123456789ab.new`, 'x');
    runtime.disk.write(`${folder}/notes.txt`, 'x');
    const store = await opened(runtime);
    await store.accept(submission(), at);
    expect(runtime.disk.filesBelow(folder)).toEqual([fileOf(1), `${folder}/notes.txt`]);
  });

  test('large ones are fewer, but never less than two', () => {
    const entry = {} as Kept['entry'];
    const kept = (...bytes: number[]) => bytes.map((each) => ({ entry, bytes: each }));
    const half = historyBytesMax / 2;
    expect(within(kept(half, half - 1, 1, 1))).toHaveLength(3);
    expect(within(kept(half, half, half))).toHaveLength(2);
    expect(within(kept(half * 2, half * 2, 1))).toHaveLength(2);
  });

  test('one that is too large to be read back is refused', async () => {
    const store = await opened(runtime);
    const text = 'x'.repeat(bundleFileBytesMax);
    const tooLarge = submission({ documents: [secondary('web', { text })] });
    expect(said(await store.accept(tooLarge, at))).toBe('refused Invalid');
  });
});

describe('rolling back', () => {
  const rollback = { ifGeneration: null, source: 'Apply', submitter: 'uid 0' } as const;

  test('brings the documents back, and not the leave to delete', async () => {
    const store = await opened(runtime);
    await store.accept(submission({ deleteEverything: true, deletionsMax: 9 }), at);
    await store.accept(web('1GiB'), at);
    expect(said(await store.rollback({ ...rollback, generation: 1 }, at))).toBe('accepted 3');
    expect(store.inForce).toMatchObject({
      generation: 3,
      rollbackOf: 1,
      submitter: 'uid 0',
      deleteEverything: false,
      deletionsMax: null,
      documents: [secondary('web')],
    });
  });

  test('puts nothing out of force but what it was to', async () => {
    const store = await opened(runtime);
    await store.accept(submission(), at);
    await store.accept(web('1GiB'), at);
    const back = (ifGeneration: number) =>
      store.rollback({ ...rollback, generation: 1, ifGeneration }, at).then(said);
    expect(await back(1)).toBe('refused NotInForce');
    expect(await back(3)).toBe('refused NotInForce');
    expect(store.inForce?.generation).toBe(2);
    expect(await back(2)).toBe('accepted 3');
  });

  test('to what is in force is nothing', async () => {
    const store = await opened(runtime);
    await store.accept(submission(), at);
    expect(said(await store.rollback({ ...rollback, generation: 1 }, at))).toBe('unchanged 1');
  });

  test('to what there is not, or not any more, is refused', async () => {
    const store = await opened(runtime);
    await store.accept(submission(), at);
    await store.accept(web('1GiB'), at);
    const to = (generation: number) => store.rollback({ ...rollback, generation }, at).then(said);
    expect(await to(9)).toBe('refused NoSuchGeneration');
    runtime.disk.write(fileOf(1), 'x');
    expect(await to(1)).toBe('refused NoSuchGeneration');
    runtime.disk.remove(fileOf(1));
    expect(await to(1)).toBe('refused NoSuchGeneration');
    expect(store.inForce?.generation).toBe(2);
  });

  test('one of the history can be read', async () => {
    const store = await opened(runtime);
    await store.accept(submission(), at);
    await store.accept(web('1GiB'), at);
    expect(await store.bundle(1)).toMatchObject({ status: 'whole', bundle: { generation: 1 } });
    expect(await store.bundle(5)).toEqual({ status: 'missing' });
  });
});

describe('what is torn', () => {
  async function twoAccepted(): Promise<void> {
    const store = await opened(runtime);
    await store.accept(submission(), at);
    await store.accept(web('1GiB'), at);
  }

  test.each([
    ['empty', () => runtime.disk.write(fileOf(2), '')],
    ['not ours', () => runtime.disk.write(fileOf(2), 'hello\nworld\n')],
    ['a copy of another', () => runtime.disk.write(fileOf(2), runtime.disk.text(fileOf(1)) ?? '')],
    [
      'a folder',
      () => {
        runtime.disk.remove(fileOf(2));
        runtime.disk.folder(fileOf(2));
      },
    ],
    ['huge', () => runtime.disk.write(fileOf(2), 'x'.repeat(41 * 2 ** 20))],
  ])('%s: the one before is in force, and it is said', async (_, tear) => {
    await twoAccepted();
    tear();
    const store = await opened(runtime.restart());
    expect(store.inForce?.generation).toBe(1);
    expect(store.torn).toEqual([{ generation: 2, message: expect.stringContaining(fileOf(2)) }]);
  });

  test('its number is not used again, and the next bundle ends it, be it the same as the one in force', async () => {
    await twoAccepted();
    runtime.disk.write(fileOf(2), 'x');
    const store = await opened(runtime.restart());
    expect(said(await store.accept(submission({ generation: 2 }), at))).toBe(
      'refused GenerationReused',
    );
    expect(said(await store.accept(submission(), at))).toBe('accepted 3');
    expect(store.torn).toEqual([]);
  });

  test('below it a number is stale', async () => {
    await twoAccepted();
    runtime.disk.write(fileOf(5), 'x');
    const store = await opened(runtime.restart());
    expect(store.inForce?.generation).toBe(2);
    expect(said(await store.accept({ ...web('3GiB'), generation: 4 }, at))).toBe(
      'refused StaleGeneration',
    );
    expect(said(await store.accept({ ...web('3GiB'), generation: 6 }, at))).toBe('accepted 6');
  });

  test('and nothing is whole: nothing is in force', async () => {
    await twoAccepted();
    runtime.disk.write(fileOf(1), 'x');
    runtime.disk.write(fileOf(2), 'x');
    const store = await opened(runtime.restart());
    expect(store.inForce).toBeNull();
    expect(store.torn.map(({ generation }) => generation)).toEqual([2, 1]);
    expect(said(await store.accept(submission(), at))).toBe('accepted 3');
  });

  test('an older one is only missing from the history', async () => {
    await twoAccepted();
    runtime.disk.write(fileOf(1), 'x');
    const store = await opened(runtime.restart());
    expect(store.torn).toEqual([]);
    expect(store.history.map(({ generation }) => generation)).toEqual([2]);
  });

  test('every byte of the file counts', async () => {
    await twoAccepted();
    const bytes = new TextEncoder().encode(runtime.disk.text(fileOf(2)) ?? '');
    for (let index = 0; index < bytes.length; index += 1) {
      for (const torn of [bytes.slice(0, index), bytes.map((b, i) => (i === index ? b ^ 1 : b))]) {
        runtime.disk.write(fileOf(2), torn);
        const store = await opened(runtime);
        expect(store.inForce?.generation, `byte ${index}`).toBe(1);
        expect(store.torn.map(({ generation }) => generation)).toEqual([2]);
      }
    }
    runtime.disk.write(fileOf(2), bytes);
    expect((await opened(runtime)).inForce?.generation).toBe(2);
  });
});

describe('what cannot be read is not taken for nothing', () => {
  test.each(['PermissionDenied', 'Failed'] as const)('the folder: %s', async (code) => {
    runtime.files.faults.push(callFails('list', code));
    expect(await open(runtime)).toMatchObject({ status: 'failed' });
  });

  test.each(['PermissionDenied', 'Failed', 'Missing'] as const)('the newest: %s', async (code) => {
    const store = await opened(runtime);
    await store.accept(submission(), at);
    await store.accept(web('1GiB'), at);
    runtime.files.faults.push(callFails('read', code, fileOf(2)));
    expect(await open(runtime)).toMatchObject({ status: 'failed' });
    runtime.files.faults.length = 0;
    runtime.files.faults.push(callFails('read', code, fileOf(1)));
    expect((await opened(runtime)).inForce?.generation).toBe(2);
  });

  test('what stands there besides is not looked at', async () => {
    runtime.disk.write(`${folder}/.000000000001.json.0123456789ab.new`, 'x');
    runtime.disk.write(`${folder}/notes.txt`, 'x');
    const store = await opened(runtime);
    expect(store.inForce).toBeNull();
    expect(store.torn).toEqual([]);
  });
});
