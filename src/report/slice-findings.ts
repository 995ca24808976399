/** What several looks at a partition's slice have said together. */
import type { SecondaryName } from '../model/names.ts';

export interface SliceFindings {
  /** Whether the limit of CPUs held its guests back for a good part of the time. */
  readonly isThrottled: boolean;
  /** Who has crashed when the kernel has killed last; null: nobody has seen it kill. */
  readonly victims: readonly SecondaryName[] | null;
}
