/** Whether what a partition is guaranteed is kept, by what the kernel shows. */
import type { Observed } from '../model/domain.ts';
import type { DesiredState } from '../model/secondary.ts';
import type { Statement } from './condition.ts';

const said = { type: 'CpusGuaranteed' } as const;

export function guaranteeStatements(
  observed: Observed | null,
  { share }: Pick<DesiredState, 'share'>,
): readonly Statement[] {
  if (share === null || share === 'unspoken' || observed?.slice.status !== 'present') return [];
  const { cpuset } = share.guarantees;
  if (cpuset === null) return [];
  const { effective, partition } = observed.slice.value.cpus;
  if (effective !== cpuset) {
    const message = `the kernel runs it on CPUs ${effective ?? 'that it does not name'}, and not on ${cpuset}`;
    return [{ ...said, status: 'False', reason: 'NotEffective', message }];
  }
  if (partition === 'root' || partition === 'isolated') {
    const message = `nobody else on this host runs on CPUs ${cpuset}`;
    return [{ ...said, status: 'True', reason: 'KeptByKernel', message }];
  }
  const why =
    partition === null
      ? 'this kernel cannot keep others off, which takes Linux 6.7'
      : `the kernel does not keep others off: ${partition}`;
  const message = `no other partition runs on CPUs ${cpuset}, and what else there is on this host may: ${why}. Keep it off by hand: systemctl set-property init.scope AllowedCPUs=OTHERS, and so system.slice, user.slice and machine.slice`;
  return [{ ...said, status: 'False', reason: 'OthersMayUseThem', message }];
}
