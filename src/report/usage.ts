/** What a partition has by now, counted from what was seen. */
import type { Observed } from '../model/domain.ts';
import { samePartition } from '../model/identity.ts';
import type { Usage } from './partition-status.ts';

/** @param observed null: nothing was */
export function usageOf(observed: Observed | null): Usage {
  if (observed === null) {
    return { secondaries: 0, runningVcpus: 0, runningMemoryBytes: 0, storageBytes: 0 };
  }
  const ours = [...observed.domains.values()].flatMap((seen) => {
    if (seen.status !== 'present' || seen.value.owner === null) return [];
    return samePartition(seen.value.owner, observed) ? [seen.value] : [];
  });
  const running = ours.flatMap(({ live }) => live ?? []);
  const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);
  const volumes = [...observed.volumes.values()].flatMap((seen) =>
    seen.status === 'present' ? [seen.value.sizeBytes] : [],
  );
  const images = [...observed.images.values()].flatMap((seen) =>
    seen.status === 'present' ? [seen.value.sizeBytes] : [],
  );
  return {
    secondaries: ours.length,
    runningVcpus: sum(running.map(({ vcpus }) => vcpus)),
    runningMemoryBytes: sum(running.map(({ memoryBytes }) => memoryBytes)),
    storageBytes: sum([...volumes, ...images]),
  };
}
