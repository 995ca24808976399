/** A fetcher without a network: what it brings, and how that ends, is what it is told; and who asks is counted. */
import type {
  FetchEnd,
  FetchRequest,
  FetchTaker,
  ImageFetcher,
} from '../../src/daemon/image-fetcher.ts';

export type Serving = (
  request: FetchRequest,
  taker: FetchTaker,
  signal: AbortSignal,
) => Promise<FetchEnd>;

export interface FakeFetcher {
  readonly fetcher: ImageFetcher;
  /** In order, all that were asked for. */
  readonly asked: readonly FetchRequest[];
  /** How many are being asked for now, and were at most. */
  readonly atOnce: { now: number; most: number };
  /** From now on. */
  serve(how: Serving): void;
}

export function fakeFetcher(how: Serving = whole): FakeFetcher {
  const asked: FetchRequest[] = [];
  const atOnce = { now: 0, most: 0 };
  let serving = how;
  return {
    asked,
    atOnce,
    serve: (next) => (serving = next),
    fetcher: async (request, taker, signal) => {
      asked.push(request);
      atOnce.now += 1;
      atOnce.most = Math.max(atOnce.most, atOnce.now);
      try {
        return await serving(request, taker, signal);
      } finally {
        atOnce.now -= 1;
      }
    },
  };
}

/** From where it was asked for to the end. */
export const whole: Serving = async ({ atByte, sizeBytes }, taker) => {
  taker.begins(atByte);
  await taker.take(new Uint8Array(sizeBytes - atByte));
  return { kind: 'complete' };
};

/** As many bytes, and no more. */
export const breakingOffAfter =
  (bytes: number): Serving =>
  async ({ atByte }, taker) => {
    taker.begins(atByte);
    await taker.take(new Uint8Array(bytes));
    return { kind: 'failed', code: 'FetchFailed', message: 'it broke off', retryable: true };
  };

export const failing =
  (end: Omit<Extract<FetchEnd, { kind: 'failed' }>, 'kind'>): Serving =>
  async () => ({ kind: 'failed', ...end });

/** Until it is told to end. */
export const hanging: Serving = (_request, _taker, signal) =>
  new Promise((done) => {
    const end = () => done({ kind: 'complete' });
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
