/**
 * What operators have asked for, as it is written down. A hold is that of the control interface, of
 * which this folder knows nothing; the fields are the same.
 */
import * as z from 'zod';
import type { ImageName, SecondaryName } from '../../model/names.ts';
import { submitter } from './bundle-schema.ts';
import { isBefore, named, shownText, time } from './stored-parts.ts';

/** Of holds, and of requests. */
export const wishesMax = 1000;
export const reasonCharactersMax = 1024;
const keyCharactersMax = 64;
/** The newest that are kept: of one who asks, and of all. */
export const answersMax = { ofParty: 100, ofAll: 500 } as const;

export const hold = z.strictObject({
  /** Null: the whole partition. */
  secondary: named<SecondaryName>().nullable(),
  reason: shownText(reasonCharactersMax),
  submitter,
  /** Null: until it is resumed. */
  expiresAt: time.nullable(),
});

export const powerRequest = z.strictObject({
  secondary: named<SecondaryName>(),
  action: z.enum(['start', 'stop', 'restart']),
  /** Which run of its guest was there when it was asked; null: it did not run. */
  runId: z.int().nullable(),
  submitter,
  at: time,
});

/** A Primary's word that it has written all of an Image to the disk that it was lent. */
export const writtenImage = z.strictObject({
  image: named<ImageName>(),
  /** Of those bytes, so many: of another Image of this name it says nothing. */
  sizeBytes: z.int().positive(),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/, 'not a digest'),
  submitter,
  at: time,
});

/** Of an order with a key: what was answered, so that it is answered again and not done again. */
export const answeredOrder = z.strictObject({
  party: submitter,
  key: shownText(keyCharactersMax),
  request: shownText(reasonCharactersMax),
  message: shownText(reasonCharactersMax),
  at: time,
});

export const drain = z.strictObject({ submitter, at: time });

export const wishesContent = z.strictObject({
  holds: z.array(hold).max(wishesMax),
  requests: z.array(powerRequest).max(wishesMax),
  drain: drain.nullable(),
  // In files of before nothing was handed over.
  written: z.array(writtenImage).max(wishesMax).default([]),
  /** A file of before has none. */
  answered: z.array(answeredOrder).max(answersMax.ofAll).default([]),
});

type Frozen<T> = { readonly [K in keyof T]: T[K] };
export type Hold = Frozen<z.output<typeof hold>>;
export type PowerRequest = Frozen<z.output<typeof powerRequest>>;
export type WrittenImage = Frozen<z.output<typeof writtenImage>>;
export type AnsweredOrder = Frozen<z.output<typeof answeredOrder>>;
export type Drain = Frozen<z.output<typeof drain>>;

export interface WishesContent {
  /** At most one for each Secondary, and one for the partition. */
  readonly holds: readonly Hold[];
  /** At most one for each Secondary. */
  readonly requests: readonly PowerRequest[];
  /** Null: the partition is not being emptied. */
  readonly drain: Drain | null;
  /** At most one for each Image. */
  readonly written: readonly WrittenImage[];
  /** Oldest first. */
  readonly answered: readonly AnsweredOrder[];
}

/** Those that hold at a time. @param at ISO 8601, UTC */
export function unexpired(holds: readonly Hold[], at: string): readonly Hold[] {
  return holds.filter(({ expiresAt }) => expiresAt === null || isBefore(at, expiresAt));
}

/** With one more, and without the oldest of its party, and of all, that are too many then. */
export function withAnswer(
  answered: readonly AnsweredOrder[],
  added: AnsweredOrder,
): readonly AnsweredOrder[] {
  const { ofParty, ofAll } = answersMax;
  const own = answered.filter(({ party }) => party === added.party);
  const tooMany = new Set(own.slice(0, Math.max(0, own.length + 1 - ofParty)));
  return [...answered.filter((each) => !tooMany.has(each)), added].slice(-ofAll);
}
