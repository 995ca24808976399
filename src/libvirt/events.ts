import type { EventKind, EventOf, LibvirtEvent } from './event-types.ts';
import { domain, network } from './handles.ts';
import { lifecycleDetailNames, lifecycleNames } from './lifecycle-names.ts';
import { named, nameOf } from './named.ts';
import { type Codec, i32, string, u64Compact } from './wire/codec.ts';
import { mapped, optional, struct } from './wire/combinators.ts';
import { bodyOf } from './wire/packet.ts';
import { paramMap } from './wire/typed-params.ts';

/**
 * The table of events: which family of procedures registers one, under which id, the number of
 * the packets that carry it, and the fields behind the callback id in them.
 */
export interface EventSpec<K extends EventKind = EventKind> {
  readonly source: EventSource;
  readonly id: number;
  readonly procedure: number;
  readonly fields: Codec<Omit<EventOf<K>, 'kind'>>;
}

export type EventSource = 'domain' | 'network' | 'connection';

const alias = struct({ domain, alias: string });

const lifecycle = mapped(
  struct({ domain, event: i32, detail: i32 }),
  (numbers) => {
    const event = nameOf(lifecycleNames, numbers.event);
    return {
      domain: numbers.domain,
      event,
      detail: nameOf(lifecycleDetailNames[event], numbers.detail),
    };
  },
  () => {
    throw new RangeError('an event cannot be sent');
  },
);

export const eventTable: { readonly [K in EventKind]: EventSpec<K> } = {
  lifecycle: { source: 'domain', id: 0, procedure: 318, fields: lifecycle },
  reboot: { source: 'domain', id: 1, procedure: 319, fields: struct({ domain }) },
  'balloon-change': {
    source: 'domain',
    id: 13,
    procedure: 331,
    fields: struct({ domain, memoryKiB: u64Compact }),
  },
  'device-removed': { source: 'domain', id: 15, procedure: 333, fields: alias },
  tunable: {
    source: 'domain',
    id: 17,
    procedure: 346,
    fields: struct({ domain, params: paramMap }),
  },
  'agent-lifecycle': {
    source: 'domain',
    id: 18,
    procedure: 348,
    fields: struct({
      domain,
      state: named(['unknown', 'connected', 'disconnected']),
      reason: named(['unknown', 'domain-started', 'channel']),
    }),
  },
  'device-added': { source: 'domain', id: 19, procedure: 354, fields: alias },
  'device-removal-failed': { source: 'domain', id: 22, procedure: 367, fields: alias },
  'metadata-change': {
    source: 'domain',
    id: 23,
    procedure: 379,
    fields: struct({
      domain,
      type: named(['description', 'title', 'element']),
      namespace: optional(string),
    }),
  },
  'memory-device-size-change': {
    source: 'domain',
    id: 26,
    procedure: 438,
    fields: struct({ domain, alias: string, sizeKiB: u64Compact }),
  },
  'network-lifecycle': {
    source: 'network',
    id: 0,
    procedure: 315,
    fields: struct({
      network,
      event: named(['defined', 'undefined', 'started', 'stopped']),
      detail: i32,
    }),
  },
  'connection-closed': {
    source: 'connection',
    id: 0,
    procedure: 362,
    fields: struct({ reason: named(['error', 'eof', 'keepalive', 'client']) }),
  },
};

export interface ReceivedEvent {
  readonly event: LibvirtEvent;
  /** The registration that it came by; 0 for `connection-closed`, which has no number. */
  readonly callbackId: number;
}

/** Decodes an event packet; undefined for one not in the table. Throws `MalformedError`. */
export function readEvent(procedure: number, packet: Buffer): ReceivedEvent | undefined {
  const found = byProcedure.get(procedure);
  if (found === undefined) return undefined;
  const [kind, spec] = found;
  const reader = bodyOf(packet);
  const callbackId = spec.source === 'connection' ? 0 : reader.i32();
  const fields = spec.fields.read(reader);
  reader.end();
  // Border: the table pairs each kind with a codec of just its fields.
  return { event: { kind, ...fields } as LibvirtEvent, callbackId };
}

// Border: Object.entries forgets that the keys are event kinds.
const byProcedure = new Map(
  (Object.entries(eventTable) as [EventKind, EventSpec][]).map((entry) => [
    entry[1].procedure,
    entry,
  ]),
);
