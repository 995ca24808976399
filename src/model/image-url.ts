/**
 * Where Images are fetched from: https, a host by its name, no user, no password, no fragment. It is one form
 * of text, narrower than what URLs may be, so that nobody reads another host out of it than we do. Addresses
 * in the place of names are none: their certificates are rare, and `127.1` is one of many spellings.
 */

const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
// The last label of an address is a number, in whatever spelling.
const host = `(?:${label}\\.){0,8}[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?`;
const port = '(?::([1-9][0-9]{0,4}))?';
const escaped = '%[0-9A-Fa-f]{2}';
const path = `/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|${escaped})*`;
const query = `(?:\\?(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|${escaped})*)?`;

export const IMAGE_URL_PATTERN = new RegExp(
  `^(?=.{1,2048}$)https://(${host})${port}(${path}${query})$`,
);
export const IMAGE_HOST_PATTERN = new RegExp(`^(${host})${port}$`);

const portDefault = 443;
const portMax = 65_535;

interface HostPort {
  readonly host: string;
  readonly port: number;
}

export interface ImageUrl extends HostPort {
  /** Path and query, as they are asked for. */
  readonly target: string;
}

/** A host that the operator lets Images be fetched from. */
export interface ImageHost extends HostPort {
  /** Whether its name may lead to an address of no public network. */
  readonly privateAddresses: boolean;
}

export function parseImageUrl(text: string): ImageUrl | null {
  const match = IMAGE_URL_PATTERN.exec(text);
  if (match === null) return null;
  const [, name = '', number, target = '/'] = match;
  const at = hostPort(name, number);
  return at === null ? null : { ...at, target };
}

/** @param text `images.example.org`, or with a port */
export function parseImageHost(text: string): HostPort | null {
  const match = IMAGE_HOST_PATTERN.exec(text);
  return match === null ? null : hostPort(match[1] ?? '', match[2]);
}

function hostPort(name: string, number: string | undefined): HostPort | null {
  const of = number === undefined ? portDefault : Number(number);
  return of > portMax || name.length > 253 ? null : { host: name, port: of };
}

/** Null: it is not allowed. */
export function allowedHost(
  { host: name, port: number }: HostPort,
  hosts: readonly ImageHost[],
): ImageHost | null {
  return hosts.find((each) => each.host === name && each.port === number) ?? null;
}

/** As it stands in URLs. */
export function hostText({ host: name, port: number }: HostPort): string {
  return number === portDefault ? name : `${name}:${number}`;
}
