import { LibvirtError } from './errors.ts';
import { domain, network } from './handles.ts';
import { i32, string } from './wire/codec.ts';
import { optional, struct } from './wire/combinators.ts';
import { decodeBody } from './wire/packet.ts';

/** The body of every packet with status `error`. */
export const serverError = struct({
  number: i32,
  domain: i32,
  message: optional(string),
  level: i32,
  domainHandle: optional(domain),
  text1: optional(string),
  text2: optional(string),
  text3: optional(string),
  number1: i32,
  number2: i32,
  networkHandle: optional(network),
});

/** Decodes the refusal that `packet` holds; throws `MalformedError` if it is not one. */
export function readServerError(procedure: string, packet: Buffer): LibvirtError {
  return new LibvirtError(procedure, decodeBody(serverError, packet));
}
