/** What a partition has by now, counted from what was seen, beside what it may have. */
import type { Observed } from '../model/domain.ts';
import { samePartition, slicePath } from '../model/identity.ts';
import type { DesiredState } from '../model/secondary.ts';
import { primaryAmounts } from '../partition/carving.ts';
import { allocationOf } from '../partition/allocation.ts';
import { AMOUNT_NAMES, type Amounts, nothing } from '../partition/amounts.ts';
import { comesInside, isOutside } from '../partition/primary-place.ts';
import type { Statement } from './condition.ts';
import type { Usage } from './partition-status.ts';

/** @param observed null: nothing was */
export function usageOf(
  observed: Observed | null,
  { share, primary }: Pick<DesiredState, 'share' | 'primary'>,
): Usage {
  const limits = limitsIn(share);
  if (observed === null) {
    const none = { secondaries: 0, runningVcpus: 0, runningMemoryBytes: 0, storageBytes: 0 };
    return { ...none, allocated: nothing, primary: null, limits };
  }
  const { amounts } = allocationOf(observed, primary);
  const running = [...observed.domains.values()].flatMap((seen) => {
    if (seen.status !== 'present') return [];
    return samePartition(seen.value.owner, observed) ? (seen.value.live ?? []) : [];
  });
  const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);
  return {
    secondaries: amounts.secondaries,
    runningVcpus: sum(running.map(({ vcpus }) => vcpus)),
    runningMemoryBytes: sum(running.map(({ memoryBytes }) => memoryBytes)),
    storageBytes: amounts.storageBytes,
    allocated: amounts,
    primary: observed.primary.status === 'present' ? primaryAmounts(observed.primary.value) : null,
    limits,
  };
}

function limitsIn(share: DesiredState['share']): Amounts | null {
  if (share === null || share === 'unspoken') return null;
  const { vcpus, memoryBytes, storageBytes, secondaries } = share.limits;
  return { vcpus, memoryBytes, storageBytes, secondaries };
}

/** Where more is there than may be: nothing is taken away for it, and nothing more is given. */
export function budgetStatements({ allocated, limits }: Usage): readonly Statement[] {
  if (limits === null) return [];
  const over = AMOUNT_NAMES.filter((name) => allocated[name] > limits[name]);
  if (over.length === 0) return [];
  const message = over
    .map((name) => `${words[name]}: ${allocated[name]} of ${limits[name]}`)
    .join(', ');
  return [{ type: 'OverBudget', status: 'True', reason: 'LimitsExceeded', message }];
}

const words: { readonly [Name in keyof Amounts]: string } = {
  vcpus: 'vCPUs',
  memoryBytes: 'bytes of memory',
  storageBytes: 'bytes of storage',
  secondaries: 'Secondaries',
};

/** A Primary that the kernel does not hold with the others. */
export function primaryStatements(
  observed: Observed | null,
  { share }: Pick<DesiredState, 'share'>,
): readonly Statement[] {
  if (share === null || share === 'unspoken' || share.enforcement !== 'Cgroup') return [];
  if (observed === null || !isOutside(observed)) return [];
  const { domainName } = observed.primary.value;
  const said = { type: 'PrimaryOutside', status: 'True' } as const;
  if (comesInside(observed)) {
    const message = `${domainName} runs outside the slice until it is shut down and started again; the slice has room for it`;
    return [{ ...said, reason: 'RestartRequired', message }];
  }
  const path = slicePath(observed);
  const message = `${domainName} runs outside the slice, so that the kernel holds only its Secondaries to what it leaves of the limits: virsh edit ${domainName}, <resource><partition>${path}</partition></resource>, and start it anew once this says RestartRequired`;
  return [{ ...said, reason: 'NotInSlice', message }];
}
