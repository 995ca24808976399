/**
 * AF_VSOCK, which Node does not know: the system calls that make, bind and connect such a socket, and
 * Node's own handle for streams (its Pipe, which never asks what family a socket is of) put on it.
 * That handle is no public interface of Node's, so it is tried once before anything relies on it.
 */
import { randomUUID } from 'node:crypto';
import { createServer, Socket } from 'node:net';
import { type Libc, loadLibc } from './libc.ts';

/** What of Node's Pipe is used here. Numbers that are returned are errors, 0 is none. */
export interface PipeHandle {
  readonly fd: number;
  onconnection: (status: number, client: PipeHandle | undefined) => void;
  open(fd: number): number | undefined;
  listen(backlog: number): number;
  close(): void;
}

type PipeClass = new (kind: number) => PipeHandle;

export interface VsockCalls {
  /** A socket that is bound to `port` on every address of this machine. @throws Error */
  bound(port: number): number;
  /** From a port that only root may have, so that the other side knows who is not. @throws Error */
  connect(cid: number, port: number): Promise<number>;
  /** Null: it is none any more, or of another family. */
  peerOf(fd: number): { readonly cid: number; readonly port: number } | null;
  /** Whether the other side is still there, as far as this machine knows. */
  isAlive(fd: number): boolean;
  close(fd: number): void;
  /** The handle owns the descriptor from then on. @throws Error */
  handleOf(fd: number, use: 'listen' | 'stream'): PipeHandle;
}

const AF_UNIX = 1;
const AF_VSOCK = 40;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2_000_000;
const SOL_SOCKET = 1;
const SO_ERROR = 4;
const ANY_CID = 0xffff_ffff;
/** struct sockaddr_vm (linux/vm_sockets.h): family, a word of nothing, port, CID, and room. */
const addressBytes = 16;
const EADDRINUSE = 98;
/** Below 1024 a port needs CAP_NET_BIND_SERVICE; below 512 are those of other programs. */
const privilegedPorts = { first: 512, count: 512 };
/** PipeConstants in Node's pipe_wrap.cc. */
const pipeKinds = { stream: 0, listen: 1 } as const;

let loading: Promise<VsockCalls> | undefined;

/** Loads and tries it once. @throws Error where this machine, or this Node, cannot */
export function vsockCalls(): Promise<VsockCalls> {
  // What has failed once, such as for want of a descriptor, may go another time.
  loading ??= load().catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function load(): Promise<VsockCalls> {
  const libc = await loadLibc();
  const Pipe = await pipeClass();
  const calls = callsOf(libc, Pipe);
  await tryHandles(libc, calls);
  return calls;
}

function callsOf(libc: Libc, Pipe: PipeClass): VsockCalls {
  const made = () => {
    const fd = libc.socket(AF_VSOCK, SOCK_STREAM + SOCK_CLOEXEC, 0);
    if (fd < 0) throw libc.error('this machine has no AF_VSOCK');
    return fd;
  };
  const bind = (fd: number, port: number) => libc.bind(fd, addressOf(ANY_CID, port), addressBytes);
  const bindPrivileged = (fd: number) => {
    const { first, count } = privilegedPorts;
    const begin = Math.floor(Math.random() * count);
    for (let tried = 0; tried < count; tried += 1) {
      if (bind(fd, first + ((begin + tried) % count)) === 0) return;
      if (libc.errno() !== EADDRINUSE) throw libc.error('taking a port below 1024 for vsock');
    }
    throw new Error('all ports below 1024 are taken for vsock');
  };
  return {
    bound: (port) =>
      orClosed(libc, made(), (fd) => {
        if (bind(fd, port) !== 0) throw libc.error(`taking vsock port ${port}`);
      }),
    connect: async (cid, port) => {
      const fd = orClosed(libc, made(), bindPrivileged);
      const errno = await libc.connect(fd, addressOf(cid, port), addressBytes);
      if (errno === 0) return fd;
      libc.close(fd);
      throw libc.errorOf(errno, `connecting to vsock port ${port} of CID ${cid}`);
    },
    peerOf: (fd) => {
      const address = Buffer.alloc(addressBytes);
      const length: [number] = [addressBytes];
      if (libc.getpeername(fd, address, length) !== 0) return null;
      if (address.readUInt16LE(0) !== AF_VSOCK) return null;
      return { port: address.readUInt32LE(4), cid: address.readUInt32LE(8) };
    },
    isAlive: (fd) => {
      const value = Buffer.alloc(4);
      if (libc.getsockopt(fd, SOL_SOCKET, SO_ERROR, value, [4]) !== 0) return false;
      // A connection that was reset has none at its other end any more.
      return value.readInt32LE(0) === 0 && libc.getpeername(fd, Buffer.alloc(16), [16]) === 0;
    },
    close: (fd) => void libc.close(fd),
    handleOf: (fd, use) => {
      const handle = new Pipe(pipeKinds[use]);
      const error = handle.open(fd) ?? 0;
      if (error === 0) return handle;
      handle.close();
      libc.close(fd);
      throw new Error(`Node takes no vsock socket (${error})`);
    },
  };
}

function orClosed(libc: Libc, fd: number, act: (fd: number) => void): number {
  try {
    act(fd);
    return fd;
  } catch (error) {
    libc.close(fd);
    throw error;
  }
}

function addressOf(cid: number, port: number): Uint8Array {
  const address = Buffer.alloc(addressBytes);
  address.writeUInt16LE(AF_VSOCK, 0);
  address.writeUInt32LE(port, 4);
  address.writeUInt32LE(cid, 8);
  return address;
}

/** Of a server that listens for a moment where nobody can find it: Node exports the class nowhere. */
function pipeClass(): Promise<PipeClass> {
  return new Promise((done, fail) => {
    const server = createServer();
    server.once('error', fail);
    server.listen(`\0unnest-${randomUUID()}`, () => {
      // Border: an underscore property, whose shape `tryHandles` finds out.
      const { _handle: handle } = server as unknown as { readonly _handle?: object | null };
      const found = handle?.constructor as PipeClass | undefined;
      server.close();
      if (found === undefined) fail(new Error(`this Node (${process.version}) has no Pipe handle`));
      else done(found);
    });
  });
}

const trialMs = 2000;

/** A byte there and back, over a pair of sockets that no other process has an end of. */
async function tryHandles(libc: Libc, calls: VsockCalls): Promise<void> {
  const [a, b] = libc.socketpair(AF_UNIX, SOCK_STREAM + SOCK_CLOEXEC);
  const ends = [a, b].map((fd) => streamOn(calls.handleOf(fd, 'stream')));
  const [asking, answering] = ends;
  if (asking === undefined || answering === undefined) throw new Error('a pair has two ends');
  try {
    answering.pipe(answering);
    await new Promise<void>((done, fail) => {
      const why = `this Node (${process.version}) cannot use its Pipe handle on a socket of ours`;
      const late = setTimeout(() => fail(new Error(why)), trialMs);
      asking.once('error', fail);
      asking.once('data', () => {
        clearTimeout(late);
        done();
      });
      asking.write('?');
    });
  } finally {
    for (const end of ends) end.destroy();
  }
}

/** Paused: nothing is read until somebody asks for it. */
export function streamOn(handle: PipeHandle): Socket {
  // `handle` and `manualStart` are options of Node's own servers, and in none of its types.
  const options = { handle, allowHalfOpen: true, manualStart: true } as object;
  const socket = new Socket(options);
  // Whoever uses it listens as well; until then a reset must not end the process.
  socket.on('error', () => {});
  return socket;
}
