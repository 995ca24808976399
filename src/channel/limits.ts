/** Bounds on what somebody who asks may cost the daemon (invariant 11). */
import { documentLimits } from '../documents/limits.ts';

export const channelLimits = {
  /** Node's own default; no request of ours needs a tenth of it. */
  headerBytesMax: 16 * 2 ** 10,
  /** Of every request but a submission. */
  orderBytesMax: 64 * 2 ** 10,
  /** Values of JSON, counted before anything is made of them: a file is three, commas counted. */
  bodyValuesMax: 50_000,
  bodyDepthMax: 8,
  /** From opening, or from the answer before, until a request has come with its headers. */
  idleMs: 60_000,
  /** From the headers until the body is there. */
  bodyMs: 30_000,
  /** Until the daemon has answered. A bundle may wait for its worker, and for the one before it. */
  answerMs: 200_000,
  /** Until it is known what would come of a word about a disk: long before nobody waits for that any more. */
  wordMs: 60_000,
  /** From an answer, or from the first line of a stream that waits, until all of it is read. */
  drainMs: 60_000,
  /** How often somebody may become the agent: each time the whole status is said anew. */
  attachRate: { perSecond: 0.2, burst: 10 },
  /** How often an agent hears that it is still connected. */
  agentBeatMs: 20_000,
  /** What may wait for a reader of a stream when another line comes. */
  unreadBytesMax: 4 * 2 ** 20,
  /** What is typed on a console, in one piece. */
  typedBytesMax: 4 * 2 ** 10,
  /** How long answers that are under way may take when the daemon ends. */
  closeMs: 5_000,
  filesMax: 10_000,
  pathCharactersMax: 1024,
  /** Of an Image that is uploaded, at once: of each place there is one under way. */
  uploadBytesMax: 4 * 2 ** 20,
  reasonCharactersMax: 500,
  /** Ten years: longer is for ever, and for ever has its own word. */
  holdSecondsMax: 10 * 366 * 86_400,
} as const;

/** Of all who ask at one place: operators on their socket, or one Primary on its channel. */
export interface PlaceLimits {
  /** Open at the same time; whoever comes after that is told so and let go. */
  readonly connectionsMax: number;
  /** Of these, those of one user of this machine. */
  readonly connectionsPerUserMax: number;
  /** Open at the same time, so that there are always connections for a question. */
  readonly streamsMax: number;
  /** Of a submission. */
  readonly bodyBytesMax: number;
  /** Bundles that are taken in at the same time: each may be of `bodyBytesMax`. */
  readonly submissionsMax: number;
  /** What may wait for readers on all connections when another answer is to be made. */
  readonly unreadInAllBytesMax: number;
  /** Requests per second, in the long run, and at once; null: as many as they like. */
  readonly rate: Rate | null;
  /** Of those, the ones that ask for work: orders, submissions, plans, and being the agent. */
  readonly workRate: Rate | null;
  /** Unanswered on one connection. Clients wait for each answer; more is done by those that do not. */
  readonly requestsPerConnectionMax: number;
}

export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

export const operatorLimits: PlaceLimits = {
  connectionsMax: 64,
  connectionsPerUserMax: 16,
  streamsMax: 48,
  /** In JSON a quote or the end of a line takes two bytes; the rest is for paths and the frame. */
  bodyBytesMax: 2 * documentLimits.bundleBytesMax + 2 ** 20,
  submissionsMax: 4,
  unreadInAllBytesMax: 128 * 2 ** 20,
  rate: null,
  workRate: null,
  requestsPerConnectionMax: 4,
};

/** Of vsock, where Primaries speak unless the operator says otherwise. */
export const primaryPortDefault = 1021;

/** Connections of one Primary, in the long run and at once: an agent keeps its own. */
export const primaryConnectionRate: Rate = { perSecond: 5, burst: 60 };

/** Its agent asks for everybody in it, over few connections. */
export const primaryLimits: PlaceLimits = {
  connectionsMax: 32,
  connectionsPerUserMax: 32,
  streamsMax: 24,
  bodyBytesMax: 2 ** 20,
  submissionsMax: 1,
  unreadInAllBytesMax: 16 * 2 ** 20,
  rate: { perSecond: 50, burst: 200 },
  workRate: { perSecond: 2, burst: 20 },
  requestsPerConnectionMax: 4,
};
