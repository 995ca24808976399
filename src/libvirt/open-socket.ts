import type { ResolvedOptions } from './connect-options.ts';
import { dial } from './dial.ts';
import { ConnectionError } from './errors.ts';
import { handshake } from './handshake.ts';
import { RpcSocket, type RpcSocketOptions } from './rpc-socket.ts';

/**
 * Connects and shakes hands. `keepalive` is a parameter of its own because a stream's socket
 * must go without: its reader may pause it for longer than libvirtd waits for a pong.
 */
export async function openSocket(
  options: ResolvedOptions,
  keepalive: ResolvedOptions['keepalive'],
  handlers: Pick<RpcSocketOptions, 'onEvent' | 'onClose'>,
): Promise<RpcSocket> {
  const { socketPath, connectTimeoutMs: timeoutMs, timers, signal, callsInFlightMax } = options;
  const stream = await dial({ socketPath, timeoutMs, timers, signal });
  const socket = new RpcSocket(stream, { callsInFlightMax, timers, ...handlers });
  try {
    await handshake(socket, options, keepalive);
    return socket;
  } catch (error) {
    socket.close(
      new ConnectionError('closed', 'the handshake with libvirtd failed', { cause: error }),
    );
    throw error;
  }
}
