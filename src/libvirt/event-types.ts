import type { Domain, Network } from './handles.ts';
import type { ParamMap } from './wire/typed-params.ts';

/**
 * Everything that libvirtd can push, as one union. Events are hints: they can be missed while
 * disconnected and say nothing of what has happened since, so read the state again.
 */
export type LibvirtEvent =
  /** A domain was defined, started, stopped and so on. `detail` is the reason, in libvirt's word. */
  | {
      readonly kind: 'lifecycle';
      readonly domain: Domain;
      readonly event: DomainLifecycle;
      readonly detail: string;
    }
  /** The guest rebooted. */
  | { readonly kind: 'reboot'; readonly domain: Domain }
  /** A device is there, by its alias. */
  | { readonly kind: 'device-added'; readonly domain: Domain; readonly alias: string }
  /** A device is gone: the guest has let go of it. */
  | { readonly kind: 'device-removed'; readonly domain: Domain; readonly alias: string }
  /** The guest has refused to let go of a device. */
  | { readonly kind: 'device-removal-failed'; readonly domain: Domain; readonly alias: string }
  /** `<metadata>`, title or description changed. */
  | {
      readonly kind: 'metadata-change';
      readonly domain: Domain;
      readonly type: 'description' | 'title' | 'element' | 'unknown';
      /** Namespace of the element, for type `element`. */
      readonly namespace: string | null;
    }
  /** The guest has given or taken memory by its balloon. */
  | {
      readonly kind: 'balloon-change';
      readonly domain: Domain;
      readonly memoryKiB: number | bigint;
    }
  /** A virtio-mem device has changed its size. */
  | {
      readonly kind: 'memory-device-size-change';
      readonly domain: Domain;
      readonly alias: string;
      readonly sizeKiB: number | bigint;
    }
  /** The guest agent has come or gone. */
  | {
      readonly kind: 'agent-lifecycle';
      readonly domain: Domain;
      readonly state: 'connected' | 'disconnected' | 'unknown';
      readonly reason: 'unknown' | 'domain-started' | 'channel';
    }
  /** Scheduler, pinning or I/O limits changed. */
  | { readonly kind: 'tunable'; readonly domain: Domain; readonly params: ParamMap }
  | {
      readonly kind: 'network-lifecycle';
      readonly network: Network;
      readonly event: 'defined' | 'undefined' | 'started' | 'stopped' | 'unknown';
      /** 0: libvirt has no details for networks yet. */
      readonly detail: number;
    }
  /** libvirtd has lost its own connection to the hypervisor. */
  | {
      readonly kind: 'connection-closed';
      readonly reason: 'error' | 'eof' | 'keepalive' | 'client' | 'unknown';
    };

export type DomainLifecycle =
  | 'defined'
  | 'undefined'
  | 'started'
  | 'suspended'
  | 'resumed'
  | 'stopped'
  | 'shutdown'
  | 'pm-suspended'
  | 'crashed'
  | 'unknown';

export type EventKind = LibvirtEvent['kind'];
export type EventOf<K extends EventKind> = Extract<LibvirtEvent, { readonly kind: K }>;
