/**
 * What unnestd and its fetcher say to each other. To it, on standard input, a request as JSON. From it, on
 * standard output, once the server gives what was asked for, a line that says from which byte on, and then
 * those bytes; and at its end, on standard error, one line of JSON that says how it has ended. The server's
 * connection is its sixth descriptor. Only types are here, since the fetcher is one file without zod.
 */

export const connectionDescriptor = 5;

export interface FetcherRequest {
  /** As the certificate has to name it. */
  readonly host: string;
  readonly port: number;
  readonly target: string;
  readonly atByte: number;
  readonly sizeBytes: number;
  /** PEM: trusted besides what Node trusts; null: nobody is. */
  readonly ca: string | null;
}

/** Nothing here is a server's own words, but for `to`. */
export type FetcherEnd =
  /** The server has said that this was all. */
  | { readonly end: 'complete' }
  | { readonly end: 'redirected'; readonly to: string }
  /** Neither what was asked for nor a redirect. */
  | { readonly end: 'status'; readonly status: number }
  /** By its own words it has as many. */
  | { readonly end: 'length'; readonly bytes: number }
  /** It has packed what it sends. */
  | { readonly end: 'encoded' }
  /** It begins elsewhere than it was asked to. */
  | { readonly end: 'elsewhere' }
  /** @param reason Node's or OpenSSL's word for it */
  | { readonly end: 'broken'; readonly reason: string }
  | { readonly end: 'certificate'; readonly reason: string };
