/** The partition's slice: what the kernel is to hold it to, against what the kernel shows. */
import type { Observed } from '../model/domain.ts';
import type { DesiredState } from '../model/secondary.ts';
import { type SliceFields, sliceFieldsOf } from '../model/slice.ts';
import type { Share } from '../model/share.ts';
import { allocationOf } from '../partition/allocation.ts';
import { nothing } from '../partition/amounts.ts';
import { primaryAmounts } from '../partition/carving.ts';
import { comesInside, isOutside } from '../partition/primary-place.ts';
import type { SliceChange } from './change.ts';
import { differingKeys, type FieldChange } from './fields.ts';
import { blocked } from './ownership.ts';

export function diffSlice(desired: DesiredState, observed: Observed): SliceChange | null {
  const { share } = desired;
  const { partition: name, slice: seen } = observed;
  // What no document speaks of stays as it is.
  if (share === 'unspoken') return null;
  if (share === null || share.enforcement !== 'Cgroup') {
    return seen.status === 'present' ? { kind: 'delete', name, observed: seen.value } : null;
  }
  switch (seen.status) {
    case 'unknown':
      return blocked(name, 'HostUnknown', seen.why);
    case 'absent':
      return { kind: 'create', name, fields: wantedFields(share, desired, observed) };
    case 'present': {
      const fields = wantedFields(share, desired, observed);
      const changes = differences(seen.value.fields, fields);
      return { kind: 'update', name, fields, observed: seen.value, changes };
    }
  }
}

/**
 * Never less memory than its guests have: the kernel would kill them, and not only shrink the rest. What
 * a Primary has that runs outside the slice is taken off: the two together are within the limits. Unless
 * it is to start inside next time: it would be killed there before anybody could make room.
 */
function wantedFields(
  share: Share,
  desired: Pick<DesiredState, 'primary' | 'commonCpus'>,
  observed: Observed,
): SliceFields {
  const outside = isOutside(observed) && !comesInside(observed) ? observed.primary.value : null;
  const { amounts, unknown } = allocationOf(observed, outside === null ? desired.primary : null);
  const theirs = outside === null ? nothing : primaryAmounts(outside);
  const seen = observed.slice.status === 'present' ? observed.slice.value.fields : null;
  // Who could not be read may have all that there is now.
  const before = unknown.memoryBytes === null ? 0 : (seen?.memoryMaxBytes ?? 0);
  const { commonCpus } = desired;
  const common = commonCpus === 'unspoken' ? seen : commonCpus;
  return sliceFieldsOf(
    share,
    theirs,
    Math.max(amounts.memoryBytes, before),
    common?.cpuset ?? null,
  );
}

const paths: { readonly [F in keyof SliceFields]: string } = {
  memoryMaxBytes: 'limits.memory',
  swapMaxBytes: 'swap',
  cpus: 'limits.vcpus',
  cpuWeight: 'weight of CPUs',
  cpuset: 'guarantees.cpuset',
  exclusiveCpus: 'CPUs for itself',
  memoryMinBytes: 'guarantees.memory',
  pidsMax: 'processes',
  diskBytesPerSecond: 'limits.diskBandwidthPerSecond',
  diskOperationsPerSecond: 'limits.diskOperationsPerSecond',
};
const keys = Object.keys(paths) as readonly (keyof SliceFields)[];

function differences(from: SliceFields, to: SliceFields): FieldChange[] {
  const differing = differingKeys(from, to, keys).filter(
    (field) => from[field] !== null || field !== 'exclusiveCpus',
  );
  return differing.map((field) => ({
    field,
    path: paths[field],
    from: from[field],
    to: to[field],
    impact: 'live',
    // The kernel keeps no note of who has set it.
    origin: 'unknown',
  }));
}

/** Everything that a new slice is, as a plan shows it. */
export function initialSliceFields(fields: SliceFields): FieldChange[] {
  return keys.flatMap((field) =>
    fields[field] === null || fields[field] === false
      ? []
      : [
          {
            field,
            path: paths[field],
            from: null,
            to: fields[field],
            impact: 'none',
            origin: 'document',
          },
        ],
  );
}
