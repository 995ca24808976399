import { domain, network } from './handles.ts';
import { read } from './procedure.ts';
import { i32, nothing } from './wire/codec.ts';
import { optional, struct } from './wire/combinators.ts';

/** Procedures that register and deregister events. */
export const eventProcedures = {
  registerNetwork: read(
    'connect_network_event_register_any',
    313,
    struct({ eventId: i32, network: optional(network) }),
    i32,
  ),
  deregisterNetwork: read('connect_network_event_deregister_any', 314, i32, nothing),
  registerDomain: read(
    'connect_domain_event_callback_register_any',
    316,
    struct({ eventId: i32, domain: optional(domain) }),
    i32,
  ),
  deregisterDomain: read('connect_domain_event_callback_deregister_any', 317, i32, nothing),
};
