/**
 * Fetches over the network, for one request: unnestd looks the name up, looks at where it leads, and connects;
 * all that a server says is read by a fetcher in a sandbox without a network, in the partition's slice, which
 * gets that connection and nothing else.
 *
 * What must stay true: nothing but bytes of a bounded number, and one small line that is checked, come out of
 * it. Rejected: curl, which makes its connections itself and would so need the host's network in its sandbox,
 * where a rule for one address is a packet filter; a fetcher in unnestd's own process, which is root.
 */
import { readFile } from 'node:fs/promises';
import type { Duplex } from 'node:stream';
import type { WorkerPlace, WorkerPlaces } from '../../host/worker-places.ts';
import {
  type FetchEnd,
  fetchFailed,
  type FetchRequest,
  type ImageFetcher,
} from '../image-fetcher.ts';
import { connectToOne, mayConnect, type Resolve, resolveName } from './fetch-addresses.ts';
import { exchange } from './fetch-exchange.ts';
import type { FetcherRequest } from './fetch-protocol.ts';
import type { NodeTask } from './sandbox.ts';
import { messageOf, type ProgramInstallation, startNode } from './sandboxed-node.ts';

export interface FetcherInstallation extends ProgramInstallation {
  readonly places: WorkerPlaces;
  /** A file of certificates, in PEM, that are trusted besides those that Node trusts; null: none. */
  readonly caFile: string | null;
  /** Default: the host's resolver. */
  readonly resolve?: Resolve;
}

export function imageFetcher(installation: FetcherInstallation): ImageFetcher {
  return async (request, taker, signal) => {
    const ready = await prepare(installation, request, signal);
    if ('kind' in ready) return ready;
    const { connection, place, asked } = ready;
    let started: ReturnType<typeof startNode>;
    try {
      started = startNode(installation, taskFor(request), place, connection);
    } finally {
      // It has one of its own by now. Ending ours would end that, too.
      connection.destroy();
    }
    if ('problem' in started) return failed(started.problem);
    return exchange(started, place, asked, taker, signal);
  };
}

interface Ready {
  readonly connection: Duplex;
  readonly place: WorkerPlace | null;
  readonly asked: FetcherRequest;
}

async function prepare(
  { places, caFile, resolve = resolveName }: FetcherInstallation,
  { partition, url, privateAddresses, atByte, sizeBytes }: FetchRequest,
  signal: AbortSignal,
): Promise<Ready | FetchEnd> {
  let ca: string | null;
  let place: WorkerPlace | null;
  try {
    ca = caFile === null ? null : await readFile(caFile, 'utf8');
    place = await places.find(partition, signal);
  } catch (error) {
    return failed(messageOf(error));
  }
  const all = await Promise.race([resolve(url.host).catch(() => null), ended(signal)]);
  if (all === null) return failed('nobody knows this name');
  const addresses = all.filter((each) => mayConnect(each, privateAddresses));
  if (addresses.length === 0) return addressNotAllowed;
  const connection = await connectToOne(addresses, url.port, signal);
  if (connection === null) return failed('nobody takes a connection there');
  const { host, port, target } = url;
  return { connection, place, asked: { host, port, target, atByte, sizeBytes, ca } };
}

/** A resolver cannot be broken off, and may take its time. */
function ended(signal: AbortSignal): Promise<null> {
  return new Promise((done) => {
    if (signal.aborted) done(null);
    else signal.addEventListener('abort', () => done(null), { once: true });
  });
}

function failed(message: string): FetchEnd {
  return { kind: 'failed', ...fetchFailed(message) };
}

const addressNotAllowed: FetchEnd = {
  kind: 'failed',
  code: 'AddressNotAllowed',
  message:
    'its name leads to no address that may be connected to (privateAddresses in policy.imageHosts)',
  retryable: false,
};

/** What the slowest of processors decrypts in a second. */
const bytesPerCpuSecond = 8 * 2 ** 20;

function taskFor({ sizeBytes, atByte }: FetchRequest): NodeTask {
  const cpuSeconds = 60 + Math.ceil((sizeBytes - atByte) / bytesPerCpuSecond);
  return { what: 'the fetcher', heapMebibytesMax: 128, cpuSeconds };
}
