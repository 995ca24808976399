import { type Codec, nothing } from './wire/codec.ts';

/**
 * One line of the table of procedures. `access` decides what a read-only connection refuses;
 * `lane` keeps calls that can take seconds (a start, a hot-plug) away from the socket on which
 * queries and events run, because libvirtd serves only five calls of one socket at a time.
 */
export interface Procedure<A, R> {
  readonly name: string;
  readonly number: number;
  /** `write` is also what libvirtd denies to a read-only connection although it changes nothing. */
  readonly access: 'read' | 'write';
  readonly lane: 'fast' | 'slow';
  readonly args: Codec<A>;
  readonly reply: Codec<R>;
}

/** What is known of a procedure without its types. */
export type ProcedureFacts = Pick<
  Procedure<unknown, unknown>,
  'name' | 'number' | 'access' | 'lane'
>;

/** A procedure that changes nothing. */
export function read<A, R>(
  name: string,
  number: number,
  args: Codec<A>,
  reply: Codec<R>,
): Procedure<A, R> {
  return { name, number, access: 'read', lane: 'fast', args, reply };
}

/** A procedure that changes something, and answers within milliseconds. */
export function write<A>(name: string, number: number, args: Codec<A>): Procedure<A, void>;
export function write<A, R>(
  name: string,
  number: number,
  args: Codec<A>,
  reply: Codec<R>,
): Procedure<A, R>;
export function write<A, R>(
  name: string,
  number: number,
  args: Codec<A>,
  reply?: Codec<R>,
): Procedure<A, R | void> {
  return { name, number, access: 'write', lane: 'fast', args, reply: reply ?? nothing };
}

/** A procedure that changes something and may wait for a guest, a program or a disk. */
export function slow<A>(name: string, number: number, args: Codec<A>): Procedure<A, void>;
export function slow<A, R>(
  name: string,
  number: number,
  args: Codec<A>,
  reply: Codec<R>,
): Procedure<A, R>;
export function slow<A, R>(
  name: string,
  number: number,
  args: Codec<A>,
  reply?: Codec<R>,
): Procedure<A, R | void> {
  return { name, number, access: 'write', lane: 'slow', args, reply: reply ?? nothing };
}
