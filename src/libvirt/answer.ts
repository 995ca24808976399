import type { Procedure } from './procedure.ts';
import type { LibvirtError } from './errors.ts';
import { readServerError } from './server-error.ts';
import { MalformedError } from './wire/malformed.ts';
import { decodeBody, type PacketHeader } from './wire/packet.ts';

/** What libvirtd said to a call: a result or a refusal. */
export type Answer<R> =
  | { readonly kind: 'result'; readonly result: R }
  | { readonly kind: 'refusal'; readonly error: LibvirtError };

/** Decodes an answer to `procedure`; throws `MalformedError` and nothing else. */
export function readAnswer<R>(
  procedure: Pick<Procedure<never, R>, 'name' | 'number' | 'reply'>,
  header: PacketHeader,
  packet: Buffer,
): Answer<R> {
  if (header.procedure !== procedure.number) {
    throw new MalformedError(
      `an answer to procedure ${header.procedure}, not to ${procedure.name}`,
    );
  }
  switch (header.status) {
    case 'ok':
      return { kind: 'result', result: decodeBody(procedure.reply, packet) };
    case 'error':
      return { kind: 'refusal', error: readServerError(procedure.name, packet) };
    case 'continue':
      throw new MalformedError(`an unfinished answer to ${procedure.name}`);
  }
}
