/**
 * An order whose answer did not come is given again, with the same key: whoever had carried it out says so,
 * and does nothing more. Without a server that knows keys nobody could tell, so it is given once. One that was
 * not taken, as others were before it, needs no key: nothing was done.
 */
import type { Wish } from './client-transport.ts';
import type { Asking } from './client-versions.ts';
import { KEY_HEADER } from './messages.ts';
import { DaemonError } from './daemon-error.ts';
import type * as z from 'zod';

/** What giving an order again takes of the machine. */
export interface Again {
  /** That nobody else will ever have. */
  readonly newKey: () => string;
  /** Resolves early when the signal fires, and never rejects. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** As long as a restart of unnestd takes, or an agent's way back to it. */
const waitsMs: readonly number[] = [100, 300, 1000, 2000, 4000];

/** With these it is not known what has become of the order. */
const unanswered: ReadonlySet<string> = new Set(['Broken', 'NoHost']);
/** And after one of those unnestd may be about to begin: nobody listens, or not all is known. */
const away: ReadonlySet<string> = new Set([
  ...unanswered,
  'NotRunning',
  'TooBusy',
  'NoPartition',
  'NotOpen',
  'HostUnknown',
]);

/** @throws DaemonError */
export async function askAgain<T>(
  asking: Pick<Asking, 'one'>,
  wish: Wish,
  answer: z.ZodType<T>,
  { newKey, sleep }: Again,
  signal: AbortSignal,
): Promise<T> {
  const keyed = { ...wish, headers: { [KEY_HEADER]: newKey() } };
  const once = () => asking.one(keyed, answer, signal);
  let last = await attempt(once, unanswered);
  for (const waitMs of waitsMs) {
    if (last.status === 'answered') return last.answer;
    await sleep(waitMs, signal);
    last = await attempt(once, away);
  }
  if (last.status === 'answered') return last.answer;
  const { cause } = last;
  throw new DaemonError('Broken', 'no answer came, however often: it may have been done', {
    cause,
  });
}

/** Nothing was begun: something else is asked for, which has an end. */
const busy: ReadonlySet<string> = new Set(['TooBusy', 'TooManyRequests']);
/** A minute in all: as long as another word about a disk may take. */
const busyWaitsMs: readonly number[] = [500, 1000, 2000, 4000, ...Array<number>(7).fill(8000)];

/** For what took long to get ready, and would have to be begun anew. @throws DaemonError */
export async function askWhileBusy<T>(
  asking: Pick<Asking, 'one'>,
  wish: Wish,
  answer: z.ZodType<T>,
  { sleep }: Pick<Again, 'sleep'>,
  signal: AbortSignal,
): Promise<T> {
  const once = () => asking.one(wish, answer, signal);
  for (const waitMs of busyWaitsMs) {
    const last = await attempt(once, busy);
    if (last.status === 'answered') return last.answer;
    await sleep(waitMs, signal);
  }
  return once();
}

type Attempt<T> =
  | { readonly status: 'answered'; readonly answer: T }
  | { readonly status: 'unanswered'; readonly cause: DaemonError };

/** @param endured codes; with any other it rejects */
async function attempt<T>(
  ask: () => Promise<T>,
  endured: ReadonlySet<string>,
): Promise<Attempt<T>> {
  try {
    return { status: 'answered', answer: await ask() };
  } catch (error) {
    if (!(error instanceof DaemonError) || !endured.has(error.code)) throw error;
    return { status: 'unanswered', cause: error };
  }
}
