/**
 * By which interface of the host a Primary's own NICs leave it. Its partition's network leaves by the
 * same one, unless the operator names another.
 */

/** What a NIC of a Primary is plugged into (libvirt's `<interface type>`). Never a network of ours. */
export type PrimaryNic =
  | { readonly kind: 'bridge'; readonly bridge: string }
  /** macvtap. */
  | { readonly kind: 'direct'; readonly device: string }
  /** A network of libvirt's. */
  | { readonly kind: 'network'; readonly networkName: string }
  /** A tap that the operator has made. */
  | { readonly kind: 'ethernet'; readonly tap: string }
  | { readonly kind: 'other'; readonly type: string };

/**
 * Where what a NIC sends leaves the host, and so what the host routes may leave by: of a bridge the
 * bridge itself, since the host routes to it and not to the ports that it has.
 */
export type NicWay =
  | { readonly kind: 'leaves'; readonly by: string }
  /** It reaches this host, or other guests, and nothing else. */
  | { readonly kind: 'stays' }
  | { readonly kind: 'untold'; readonly why: string };
