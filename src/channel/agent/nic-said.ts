/** What has become of the Primary's NIC on its partition's network, as `agent.json` says it. */

/** Why an interface is left alone. */
export type LeftAloneCode =
  | 'Managed' // NetworkManager or systemd-networkd configures it
  | 'Port' // of a bridge or a bond
  | 'Noted' // somebody else's note is on it
  | 'Addressed' // it has an address of somebody else's
  | 'Overlaps' // something else in this machine is reached by addresses of that network
  | 'Ambiguous'; // several have that MAC address

export type NicSaid =
  /** The host has plugged in none. */
  | { readonly status: 'none' }
  /** The host does not say; what there is stays. */
  | { readonly status: 'unknown'; readonly message: string }
  /** No interface here has its MAC address, yet. */
  | { readonly status: 'missing'; readonly mac: string; readonly message: string }
  /** It has just come, and others who configure interfaces here go first. */
  | { readonly status: 'waiting'; readonly interface: string; readonly message: string }
  | { readonly status: 'configured'; readonly interface: string; readonly address: string }
  | {
      readonly status: 'left-alone';
      readonly interface: string;
      readonly code: LeftAloneCode;
      readonly message: string;
    }
  | { readonly status: 'failed'; readonly code: string; readonly message: string };
