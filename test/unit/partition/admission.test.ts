/** Who gets something, and after whom: by hand, beside the property that tries everything. */
import { describe, expect, test } from 'vitest';
import { admit, type Ask } from '../../../src/partition/admission.ts';
import { amounts } from '../../../src/partition/amounts.ts';
import { machineBytes } from '../../../src/model/overhead.ts';

const ask = (owner: string, vcpus: number, more: Partial<Ask<string>> = {}): Ask<string> => ({
  owner,
  steps: [{ id: owner, amounts: amounts({ vcpus }), instead: amounts({}) }],
  needs: [],
  ...more,
});
const release = (id: string, vcpus: number) => ({ id, amounts: amounts({ vcpus }) });

function words({ verdicts }: ReturnType<typeof admit<string>>): string[] {
  return verdicts.map((verdict) => {
    const { owner } = verdict.ask;
    if (verdict.status !== 'admitted') return `${owner} ${verdict.status}`;
    const after = [...verdict.after.values()].flat();
    return after.length === 0 ? `${owner} now` : `${owner} after ${after.join(', ')}`;
  });
}

const free = (vcpus: number) => amounts({ vcpus });

describe('what is free', () => {
  test('goes to the first, and to whoever of the others still fits', () => {
    expect(words(admit(free(4), [ask('a', 2), ask('b', 3), ask('c', 2)], []))).toEqual([
      'a now',
      'b refused',
      'c now',
    ]);
  });

  test('is not waited for beyond what is needed, and nobody waits who need not', () => {
    const releases = [release('x', 1), release('y', 1), release('z', 5)];
    expect(words(admit(free(1), [ask('a', 2), ask('b', 1), ask('c', 1)], releases))).toEqual([
      'a after x',
      'b after x, y',
      'c after x, y, z',
    ]);
  });

  test('of one thing is not taken for what is free of another', () => {
    const { verdicts } = admit(amounts({ memoryBytes: 9 }), [ask('a', 1)], []);
    expect(verdicts[0]).toMatchObject({ lacks: [{ name: 'vcpus', asked: 1, left: 0 }] });
  });

  test('less than nothing is nobody’s business who asks for nothing of it', () => {
    const storage = amounts({ storageBytes: 5 });
    const disk = ask('disk', 0, {
      steps: [{ id: 'disk', amounts: storage, instead: amounts({}) }],
    });
    expect(words(admit(amounts({ vcpus: -3, storageBytes: 5 }), [disk], []))).toEqual(['disk now']);
  });
});

test('who is replaced by the same again is, even where too much is used', () => {
  const steps = [{ id: 'a', amounts: amounts({ vcpus: 2 }), instead: amounts({ vcpus: 2 }) }];
  expect(words(admit(free(-1), [ask('a', 0, { steps })], []))).toEqual(['a now']);
});

test('who needs somebody that was refused takes nothing from others', () => {
  const asks = [
    ask('a', 5),
    ask('b', 2, { needs: ['a'] }),
    ask('c', 2, { needs: ['b'] }),
    ask('d', 2),
  ];
  expect(words(admit(free(2), asks, []))).toEqual([
    'a refused',
    'b passed-over',
    'c passed-over',
    'd now',
  ]);
});

test('more releases than one plan waits for are for the next one', () => {
  const releases = Array.from({ length: 300 }, (_, index) => release(`r${index}`, 1));
  const { verdicts } = admit(free(0), [ask('a', 300)], releases);
  expect(verdicts[0]).toMatchObject({ status: 'refused', lacks: [] });
});

test('a virtual machine counts with what it needs besides its guest', () => {
  const MiB = 2 ** 20;
  const guest = { vcpus: 2, memoryBytes: 1024 * MiB };
  expect(machineBytes({ ...guest, translationCacheBytes: 0 })).toBe((1024 + 96 + 16 + 16) * MiB);
  expect(machineBytes({ ...guest, translationCacheBytes: 128 * MiB })).toBe(1280 * MiB);
});
