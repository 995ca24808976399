/**
 * One try at fetching an Image into its intake: from where the last one has stopped, over redirects that
 * lead to allowed hosts only, no more bytes than there are to be, and not slower than anybody waits for.
 */
import { explainError, HostError } from '../host/host-error.ts';
import {
  allowedHost,
  hostText,
  type ImageHost,
  type ImageUrl,
  parseImageUrl,
} from '../model/image-url.ts';
import type { PartitionName } from '../model/names.ts';
import {
  type FetchEnd,
  type FetchFailure,
  fetchFailed,
  type ImageFetcher,
} from './image-fetcher.ts';
import { type Append, Incoming } from './incoming.ts';
import type { Timers } from './runtime.ts';

const redirectsMax = 5;
/** A connection that is not there in this time, an answer that does not begin, and one that drips, too. */
const paceWindowMs = 30_000;
export const paceBytesMin = 30 * 4096;

export interface FetchWanted {
  readonly partition: PartitionName;
  readonly url: ImageUrl;
  readonly sizeBytes: number;
  readonly hosts: readonly ImageHost[];
  /** How many are there. */
  readonly receivedBytes: number;
}

export interface FetchTools {
  readonly fetcher: ImageFetcher;
  readonly append: Append;
  readonly timers: Pick<Timers, 'after'>;
}

export interface Fetched {
  /** Null: all of it is there. */
  readonly failure: FetchFailure | null;
  /** Whether all that is there is of one answer. Of several, each may be of another file. */
  readonly isOfOneAnswer: boolean;
  readonly receivedBytes: number;
}

export async function fetchImage(
  wanted: FetchWanted,
  tools: FetchTools,
  signal: AbortSignal,
): Promise<Fetched> {
  const { sizeBytes, receivedBytes } = wanted;
  const incoming = new Incoming(tools.append, sizeBytes, receivedBytes);
  const failure = await whileItComes(wanted, incoming, tools, signal);
  const { writtenBytes, isOfOneAnswer } = incoming;
  return { failure, isOfOneAnswer, receivedBytes: writtenBytes };
}

async function whileItComes(
  wanted: FetchWanted,
  incoming: Incoming,
  tools: FetchTools,
  signal: AbortSignal,
): Promise<FetchFailure | null> {
  const slow = new AbortController();
  const stopWatching = watchPace(tools.timers, incoming, () => slow.abort());
  try {
    const end = await follow(wanted, incoming, tools, AbortSignal.any([signal, slow.signal]));
    if (signal.aborted) return brokenOff;
    if (slow.signal.aborted || end.kind !== 'complete') {
      // What has come is worth something, however it ended.
      await incoming.keep();
      return slow.signal.aborted ? tooSlow : failureOf(end, wanted, incoming);
    }
    await incoming.finish();
    return failureOf(end, wanted, incoming);
  } catch (error) {
    if (incoming.isTooLong) return lengthDiffers(wanted, 'more have come');
    if (error instanceof HostError) return fetchFailed(explainError(error));
    throw error;
  } finally {
    stopWatching();
  }
}

async function follow(
  wanted: FetchWanted,
  incoming: Incoming,
  { fetcher }: FetchTools,
  signal: AbortSignal,
): Promise<FetchEnd> {
  const { partition, sizeBytes, hosts } = wanted;
  let url: ImageUrl | null = wanted.url;
  for (let hop = 0; hop <= redirectsMax; hop += 1) {
    const host: ImageHost | null = url === null ? null : allowedHost(url, hosts);
    if (url === null || host === null) return { kind: 'failed', ...elsewhere };
    const { privateAddresses } = host;
    const request = { partition, url, privateAddresses, atByte: incoming.writtenBytes, sizeBytes };
    const end = await fetcher(request, incoming, signal);
    if (signal.aborted) return end;
    if (end.kind === 'redirected') url = parseImageUrl(end.to);
    else if (end.kind === 'not-resumed' && request.atByte > 0) incoming.startAnew();
    else return end;
  }
  return { kind: 'failed', ...fetchFailed(`it leads on more than ${redirectsMax} times`, false) };
}

/** Where it is, whoever reads this may not be to know. */
const elsewhere: FetchFailure = {
  code: 'RedirectNotAllowed',
  message: 'it leads to where nothing may be fetched from for this partition (policy.imageHosts)',
  retryable: false,
};

const brokenOff = fetchFailed('it was broken off');
const tooSlow = fetchFailed(
  `less than ${paceBytesMin} bytes have come in ${paceWindowMs / 1000} s`,
);

function failureOf(
  end: FetchEnd,
  wanted: FetchWanted,
  { writtenBytes }: Incoming,
): FetchFailure | null {
  switch (end.kind) {
    case 'complete':
      if (writtenBytes === wanted.sizeBytes) return null;
      return lengthDiffers(wanted, `it has ended after ${writtenBytes}`);
    case 'failed': {
      const { code, message, retryable } = end;
      return { code, message: `${hostText(wanted.url)}: ${message}`, retryable };
    }
    case 'not-resumed':
      return fetchFailed(`${hostText(wanted.url)}: it does not give all of it`, false);
    case 'redirected':
      return brokenOff;
  }
}

function lengthDiffers({ url, sizeBytes }: FetchWanted, found: string): FetchFailure {
  const message = `${hostText(url)}: it was to have ${sizeBytes} bytes, and ${found}`;
  return { code: 'LengthDiffers', message, retryable: false };
}

/** @returns how to stop */
function watchPace(
  timers: Pick<Timers, 'after'>,
  incoming: Incoming,
  onSlow: () => void,
): () => void {
  let before = 0;
  let cancel: () => void = () => undefined;
  const look = () => {
    if (incoming.takenBytes - before < paceBytesMin) return onSlow();
    before = incoming.takenBytes;
    cancel = timers.after(paceWindowMs, look);
  };
  cancel = timers.after(paceWindowMs, look);
  return () => cancel();
}
