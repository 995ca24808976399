/** AF_VSOCK as streams: the host's side, which listens to VMs, and the guest's, which connects to it. */
import type { Duplex } from 'node:stream';
import type { Listening, VmPeer } from '../runtime.ts';
import { type PipeHandle, streamOn, type VsockCalls, vsockCalls } from './vsock-calls.ts';

/** vsock answers a connection that finds no room in the queue with a reset, as if nobody listened. */
const backlog = 4096;

/** @throws Error where this machine has no vsock, or the port is taken */
export async function listenVsock(
  port: number,
  onConnection: (stream: Duplex, peer: VmPeer) => void,
): Promise<Listening> {
  const calls = await vsockCalls();
  const handle = calls.handleOf(calls.bound(port), 'listen');
  handle.onconnection = (status, client) => {
    // Such as no descriptor left for the next connection: those there are go on.
    if (status === 0 && client !== undefined) take(calls, client, onConnection);
  };
  const error = handle.listen(backlog);
  if (error !== 0) {
    handle.close();
    throw new Error(`listening on vsock port ${port} (${error})`);
  }
  return { close: async () => handle.close() };
}

function take(
  calls: VsockCalls,
  client: PipeHandle,
  onConnection: (stream: Duplex, peer: VmPeer) => void,
): void {
  const { fd } = client;
  const peer = calls.peerOf(fd);
  const stream = streamOn(client);
  if (peer === null) stream.destroy();
  else onConnection(stream, { ...peer, isAlive: () => !stream.destroyed && calls.isAlive(fd) });
}

/** From a privileged port. @throws Error */
export async function dialVsock(cid: number, port: number): Promise<Duplex> {
  const calls = await vsockCalls();
  return streamOn(calls.handleOf(await calls.connect(cid, port), 'stream'));
}
