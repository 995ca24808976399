import type { CallOptions } from './call-options.ts';
import { ConnectionError, LibvirtError } from './errors.ts';
import type { Domain } from './handles.ts';

/** One domain's share of a bulk read: its value, or why there is none. */
export type BulkResult<T> =
  | { readonly domain: Domain; readonly ok: T }
  | { readonly domain: Domain; readonly error: LibvirtError | ConnectionError };

/**
 * How many calls are handed to the socket ahead of the result that is being waited for: enough
 * to keep it busy, few enough that none waits in its queue until it times out.
 */
const aheadMax = 32;

/**
 * Reads the XML of many domains, pipelined, in their order. A domain that has vanished yields
 * its error and leaves the others alone; a lost connection yields an error for all that is left.
 */
export async function* xmlOfAll<O extends CallOptions>(
  xml: (domain: Domain, options: O) => Promise<string>,
  domains: Iterable<Domain>,
  options: O,
): AsyncGenerator<BulkResult<string>, void, undefined> {
  const pending: Array<Promise<BulkResult<string>>> = [];
  for (const domain of domains) {
    pending.push(settle(domain, xml(domain, options)));
    if (pending.length < aheadMax) continue;
    const next = pending.shift();
    if (next !== undefined) yield await next;
  }
  for (const rest of pending) yield await rest;
}

async function settle<T>(domain: Domain, promise: Promise<T>): Promise<BulkResult<T>> {
  try {
    return { domain, ok: await promise };
  } catch (error) {
    if (error instanceof LibvirtError || error instanceof ConnectionError) return { domain, error };
    throw error;
  }
}
