/**
 * Who is at the other end of a Unix socket, asked of the kernel (SO_PEERCRED), which Node cannot.
 * koffi is optional: where it cannot be loaded nobody is known, and that is for the caller to judge.
 */
import type { Socket } from 'node:net';
import type { PeerCredentials } from '../runtime.ts';
import { loadLibc } from './libc.ts';

export type AskPeer = (socket: Socket) => PeerCredentials | null;

const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
/** struct ucred: pid, uid and gid, of 32 bits each. */
const ucredBytes = 12;

let loading: Promise<AskPeer> | undefined;

/** Loads what is needed once. Never rejects. */
export function peerCredentials(): Promise<AskPeer> {
  loading ??= load().catch(() => () => null);
  return loading;
}

async function load(): Promise<AskPeer> {
  const libc = await loadLibc();
  return (socket) => {
    const fd = fdOf(socket);
    if (fd === null) return null;
    const value = Buffer.alloc(ucredBytes);
    const length: [number] = [ucredBytes];
    const result = libc.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, value, length);
    if (result !== 0 || length[0] !== ucredBytes) return null;
    return { pid: value.readInt32LE(0), uid: value.readUInt32LE(4), gid: value.readUInt32LE(8) };
  };
}

/** An underscore property, since Node has no other way to it; null where it is not as expected. */
function fdOf(socket: Socket): number | null {
  const { _handle: handle } = socket as unknown as { readonly _handle?: { readonly fd?: unknown } };
  return typeof handle?.fd === 'number' && handle.fd >= 0 ? handle.fd : null;
}
