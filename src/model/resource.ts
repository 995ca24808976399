/**
 * What a plan can be about. Of each kind a partition has several by name, but one network,
 * one slice and one Primary.
 */
export const RESOURCE_KINDS = [
  'primary',
  'slice',
  'network',
  'image',
  'volume',
  'secondary',
] as const;
export type ResourceKind = (typeof RESOURCE_KINDS)[number];

export interface Resource {
  readonly kind: ResourceKind;
  /** Of the Primary, a slice or a network: the name of its partition. */
  readonly name: string;
}

/** `volume/data`: unique in a partition. */
export function resourceKey({ kind, name }: Resource): string {
  return `${kind}/${name}`;
}
