import { ConnectionError } from './errors.ts';

/**
 * libvirt's connection URIs, as far as they mean a socket on this machine. A remote transport
 * is refused rather than ignored: `qemu+ssh://other/system` must never act on this host.
 */
export interface Target {
  /** What libvirtd is asked to open: driver and path, without transport and socket. */
  readonly serverUri: string;
  /** The Unix socket that the URI names, if it names one. */
  readonly socketPath: string | undefined;
}

/** libvirtd's, or virtproxyd's, sockets: one connection serves every driver. */
export const defaultSocketPath = '/run/libvirt/libvirt-sock';
export const defaultReadOnlySocketPath = '/run/libvirt/libvirt-sock-ro';

const pattern = /^([a-z][\da-z]*)(?:\+([a-z\d]+))?:\/\/([^/?#]*)(\/[^?#]*)?(?:\?([^#]*))?$/;

/**
 * Parses a connection URI: `qemu:///system`, `qemu+unix:///system?socket=/path`,
 * `test:///default`. Throws `ConnectionError` (`unreachable`, not retryable) for anything else.
 */
export function parseUri(uri: string): Target {
  const match = pattern.exec(uri);
  if (match === null) throw refused(uri, 'it is not a libvirt URI');
  const [, driver = '', transport = 'unix', host = '', path = '', query = ''] = match;
  if (transport !== 'unix')
    throw refused(uri, `transport "${transport}" is not supported, only Unix sockets are`);
  if (host !== '')
    throw refused(uri, `it names the host "${host}", and only this one is supported`);
  const parameters = new URLSearchParams(query);
  const socketPath = parameters.get('socket') ?? undefined;
  if (path === '/session' && socketPath === undefined) {
    throw refused(
      uri,
      'a session daemon is not started from here: name its socket with ?socket=/path',
    );
  }
  return { serverUri: `${driver}://${path}`, socketPath };
}

function refused(uri: string, why: string): ConnectionError {
  return new ConnectionError('unreachable', `cannot use ${JSON.stringify(uri)}: ${why}`, {
    retryable: false,
  });
}
