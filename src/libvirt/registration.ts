import { eventTable } from './events.ts';
import type { EventKind } from './event-types.ts';
import { connectProcedures } from './procedures-connect.ts';
import { eventProcedures } from './procedures-events.ts';
import type { CallOn } from './session.ts';

/** Asks libvirtd to send one kind of event; resolves to the callback id its packets will bear. */
export async function registerEvent(call: CallOn, kind: EventKind): Promise<number> {
  const { source, id: eventId } = eventTable[kind];
  switch (source) {
    case 'domain':
      return call(eventProcedures.registerDomain, { eventId, domain: null });
    case 'network':
      return call(eventProcedures.registerNetwork, { eventId, network: null });
    case 'connection':
      await call(connectProcedures.registerCloseCallback, undefined);
      return 0;
  }
}

/** Undoes `registerEvent`. */
export function deregisterEvent(call: CallOn, kind: EventKind, callbackId: number): Promise<void> {
  switch (eventTable[kind].source) {
    case 'domain':
      return call(eventProcedures.deregisterDomain, callbackId);
    case 'network':
      return call(eventProcedures.deregisterNetwork, callbackId);
    case 'connection':
      return call(connectProcedures.unregisterCloseCallback, undefined);
  }
}
