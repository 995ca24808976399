/**
 * What a plan can be about. Of each kind a partition has several by name, but one network, filter,
 * slice, Primary, image disk, and NIC of that Primary on the network. An intake is named as its Image.
 */
export const RESOURCE_KINDS = [
  'primary',
  'slice',
  'network',
  'filter',
  'nic',
  'image-disk',
  'intake',
  'image',
  'seed',
  'volume',
  'secondary',
] as const;
export type ResourceKind = (typeof RESOURCE_KINDS)[number];

export interface Resource {
  readonly kind: ResourceKind;
  /** Of the Primary, its NIC or its image disk, a slice, a network or its filter: the name of its partition. */
  readonly name: string;
}

/** `volume/data`: unique in a partition. */
export function resourceKey({ kind, name }: Resource): string {
  return `${kind}/${name}`;
}
