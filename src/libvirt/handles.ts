import { i32, string, type Infer } from './wire/codec.ts';
import { struct } from './wire/combinators.ts';
import { uuid } from './wire/uuid.ts';

/**
 * How objects are named on the wire. libvirtd finds most of them by UUID; the name is for its
 * messages, and a domain's id for some calls on running ones. Handles are plain values: they
 * hold nothing open, may be kept, and may be made by hand.
 */

/** A virtual machine. `id` is -1 unless it runs. */
export const domain = struct({ name: string, uuid, id: i32 });
export type Domain = Infer<typeof domain>;

export const network = struct({ name: string, uuid });
export type Network = Infer<typeof network>;

export const nwfilter = struct({ name: string, uuid });
export type Nwfilter = Infer<typeof nwfilter>;

export const nwfilterBinding = struct({ portDevice: string, filterName: string });
export type NwfilterBinding = Infer<typeof nwfilterBinding>;

export const storagePool = struct({ name: string, uuid });
export type StoragePool = Infer<typeof storagePool>;

export const volume = struct({ pool: string, name: string, key: string });
export type StorageVolume = Infer<typeof volume>;

export const snapshot = struct({ name: string, domain });
export type Snapshot = Infer<typeof snapshot>;

export const checkpoint = struct({ name: string, domain });
export type Checkpoint = Infer<typeof checkpoint>;
