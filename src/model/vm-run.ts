/** A VM that runs, as far as it matters who speaks from its vsock address. */
import type { DomainUuid } from './identity.ts';

export interface VmRun {
  readonly domainName: string;
  readonly uuid: DomainUuid;
  /** libvirt's id of this run: another one has another. */
  readonly runId: number;
  /** Its vsock address while it runs. */
  readonly cid: number;
}

export function isSameRun(a: VmRun, b: VmRun): boolean {
  return a.uuid === b.uuid && a.runId === b.runId && a.cid === b.cid;
}
