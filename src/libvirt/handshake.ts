import type { TimedCallOptions } from './call-options.ts';
import type { ResolvedOptions } from './connect-options.ts';
import { ConnectionError, LibvirtError } from './errors.ts';
import { connectProcedures, features } from './procedures-connect.ts';
import type { RpcSocket } from './rpc-socket.ts';

/**
 * From a fresh socket to one that serves calls, in the order that libvirt's own client keeps:
 * authenticate, ask for keepalive, open the driver.
 */
export async function handshake(
  socket: RpcSocket,
  options: ResolvedOptions,
  keepalive: ResolvedOptions['keepalive'],
): Promise<void> {
  const limits = { timeoutMs: options.connectTimeoutMs, signal: options.signal };
  await authenticate(socket, limits);
  if (
    keepalive !== false &&
    (await socket.call(connectProcedures.supportsFeature, features.keepalive, limits))
  ) {
    socket.startKeepalive(keepalive);
  }
  const flags = options.isReadOnly ? openReadOnly : 0;
  await socket.call(connectProcedures.open, { uri: options.serverUri, flags }, limits);
}

const openReadOnly = 1;
const authMethods = { none: 0, polkit: 2 } as const;

async function authenticate(socket: RpcSocket, limits: TimedCallOptions): Promise<void> {
  const methods = await socket.call(connectProcedures.authList, undefined, limits);
  if (methods.length === 0 || methods.includes(authMethods.none)) return;
  if (!methods.includes(authMethods.polkit)) {
    throw new ConnectionError(
      'auth',
      'libvirtd wants SASL, and only polkit or no authentication is supported',
    );
  }
  await authenticateByPolkit(socket, limits);
}

async function authenticateByPolkit(socket: RpcSocket, limits: TimedCallOptions): Promise<void> {
  try {
    await socket.call(connectProcedures.authPolkit, undefined, limits);
  } catch (cause) {
    if (!(cause instanceof LibvirtError)) throw cause;
    throw new ConnectionError('auth', 'polkit does not let this user use libvirtd', { cause });
  }
}
