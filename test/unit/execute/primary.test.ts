/** What a Primary has given counts once it stays given: the host can know it late. */
import { expect, test } from 'vitest';
import type { Workbench } from '../../../src/execute/executors.ts';
import { setPrimaryMemory, setPrimaryVcpus } from '../../../src/execute/primary.ts';
import type { PrimaryHas } from '../../../src/model/primary.ts';
import { present } from '../../../src/model/observation.ts';
import type { OperationOf } from '../../../src/plan/operation.ts';
import { simulatedPrimary } from '../../support/simulation.ts';

const MiB = 2 ** 20;
const goal: PrimaryHas = { vcpus: 1, pluggedBytes: 128 * MiB };
const ref = { domainName: 'team-a', uuid: simulatedPrimary().uuid };

/** @param shown what the host says of its guest, look by look; the last one from then on */
function bench(shown: readonly PrimaryHas[]) {
  let nowMs = 0;
  let looks = 0;
  const host = {
    domains: {
      watch: async () => ({
        next: async (ms: number) => void (nowMs += ms),
        close: () => undefined,
      }),
    },
    primaries: {
      find: async () => {
        const live = shown[Math.min(looks, shown.length - 1)];
        looks += 1;
        return present({ ...simulatedPrimary(), ...ref, live, defined: looks > 1 ? goal : live });
      },
      setMemory: async () => undefined,
      setVcpus: async () => undefined,
    },
  };
  const made = { host, now: () => nowMs, signal: new AbortController().signal };
  // Border: as much of it as these two use.
  return { of: made as unknown as Workbench, nowMs: () => nowMs };
}

const memory = {
  kind: 'primary.set-memory',
  primary: ref,
  pluggedBytes: goal.pluggedBytes,
} as OperationOf<'primary.set-memory'>;
const vcpus = {
  kind: 'primary.set-vcpus',
  primary: ref,
  vcpus: 1,
} as OperationOf<'primary.set-vcpus'>;
const all: PrimaryHas = { vcpus: 2, pluggedBytes: 512 * MiB };

test('memory that is seen to be given, and then is not, has not been given yet', async () => {
  // As QEMU tells of a guest that was still plugging it in when it was asked.
  const { of, nowMs } = bench([all, goal, all, all, goal]);
  expect(await setPrimaryMemory(memory, of)).toBe('applied');
  expect(nowMs()).toBeGreaterThanOrEqual(5000);
});

test('memory that stays given for as long as news of it may take counts', async () => {
  const { of, nowMs } = bench([all, goal]);
  expect(await setPrimaryMemory(memory, of)).toBe('applied');
  expect(nowMs()).toBe(2000);
});

test('memory that is never given is told of as such', async () => {
  const { of } = bench([all]);
  await expect(setPrimaryMemory(memory, of)).rejects.toThrow(
    'was asked to go from 512MiB to 128MiB',
  );
});

test('a vCPU counts when it is seen, since libvirt asks for it itself', async () => {
  const { of, nowMs } = bench([all, goal]);
  expect(await setPrimaryVcpus(vcpus, of)).toBe('applied');
  expect(nowMs()).toBe(0);
});
