/**
 * The vsock address (CID) of a Secondary that says by vsock that it is ready. It follows from its UUID, in
 * the upper half of what there is: libvirt gives those that it chooses itself from 3 upwards.
 */
import type { DomainRef } from './domain.ts';
import type { DomainUuid } from './identity.ts';

/** A domain, and a vsock address that it has or will have. */
export interface CidUse extends DomainRef {
  readonly cid: number;
}

/** From 2^31 to 2^32-2: 2^32-1 means any address (VMADDR_CID_ANY), and 0 to 2 are the host's. */
const cidMin = 2 ** 31;
const cids = 2 ** 31 - 1;

/** 48 of the random bits of a UUID of version 5 (RFC 9562). */
export function cidOf(uuid: DomainUuid): number {
  return cidMin + (Number.parseInt(uuid.slice(-12), 16) % cids);
}
