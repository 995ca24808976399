/**
 * A file that tells by itself whether it is whole: its first line holds a digest over every byte
 * that follows. The line is compared with the one that we would have written, so that there is no
 * byte in the file whose change goes unnoticed. Against accidents, not against an attacker, who
 * could compute it as well.
 */
import { createHash } from 'node:crypto';

export type SealedKind = 'accepted' | 'wishes' | 'promises';

export type Unsealed =
  /** As it was sealed. Not trusted: whoever reads it checks it against a schema. */
  | { readonly status: 'whole'; readonly value: unknown }
  /** Cut off, changed, or never one of ours. */
  | { readonly status: 'torn'; readonly message: string };

const lineFeed = 0x0a;
const decoder = new TextDecoder('utf-8', { fatal: true });

/** @param value plain data, as JSON gives it back */
export function seal(kind: SealedKind, value: unknown): string {
  const body = `${JSON.stringify(value)}\n`;
  return `${headerOf(kind, body)}\n${body}`;
}

export function unseal(kind: SealedKind, bytes: Uint8Array): Unsealed {
  const end = bytes.indexOf(lineFeed);
  if (end === -1) return torn('it is cut off in its first line');
  const body = bytes.subarray(end + 1);
  const expected = headerOf(kind, body);
  if (end !== expected.length || textOf(bytes.subarray(0, end)) !== expected) {
    return torn('its content is not what its digest was made over');
  }
  try {
    return { status: 'whole', value: JSON.parse(decoder.decode(body)) };
  } catch {
    return torn('its content is not JSON');
  }
}

function headerOf(unnest: SealedKind, body: string | Uint8Array): string {
  const sha256 = createHash('sha256').update(body).digest('hex');
  return JSON.stringify({ unnest, version: 1, sha256 });
}

function textOf(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}

function torn(message: string): Unsealed {
  return { status: 'torn', message };
}
