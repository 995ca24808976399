/** Bounds on what somebody on the operator's socket may cost the daemon (invariant 11). */
import { documentLimits } from '../documents/limits.ts';

export const channelLimits = {
  /** Open at the same time; whoever comes after that is told so and let go. */
  connectionsMax: 64,
  /** Of these, those of one user. */
  connectionsPerUserMax: 16,
  /** Unanswered on one connection. Clients wait for each answer; more is done by those that do not. */
  requestsPerConnectionMax: 4,
  /** Open at the same time, so that there are always connections for a question. */
  streamsMax: 48,
  /** Node's own default; no request of ours needs a tenth of it. */
  headerBytesMax: 16 * 2 ** 10,
  /** In JSON a quote or the end of a line takes two bytes; the rest is for paths and the frame. */
  bodyBytesMax: 2 * documentLimits.bundleBytesMax + 2 ** 20,
  /** Of every request but a submission. */
  orderBytesMax: 64 * 2 ** 10,
  /** Values of JSON, counted before anything is made of them: a file is three, commas counted. */
  bodyValuesMax: 50_000,
  bodyDepthMax: 8,
  /** Bundles that are taken in at the same time: each may be of `bodyBytesMax`. */
  submissionsMax: 4,
  /** From opening, or from the answer before, until a request has come with its headers. */
  idleMs: 60_000,
  /** From the headers until the body is there. */
  bodyMs: 30_000,
  /** Until the daemon has answered. A bundle may wait for its worker, and for the one before it. */
  answerMs: 120_000,
  /** From an answer, or from the first line of a stream that waits, until all of it is read. */
  drainMs: 60_000,
  /** What may wait for readers on all connections when another answer is to be made. */
  unreadInAllBytesMax: 128 * 2 ** 20,
  /** What may wait for a reader of a stream when another line comes. */
  unreadBytesMax: 4 * 2 ** 20,
  /** How long answers that are under way may take when the daemon ends. */
  closeMs: 5_000,
  filesMax: 10_000,
  pathCharactersMax: 1024,
  reasonCharactersMax: 500,
  /** Ten years: longer is for ever, and for ever has its own word. */
  holdSecondsMax: 10 * 366 * 86_400,
} as const;
