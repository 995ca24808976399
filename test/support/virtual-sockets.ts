/** Sockets in memory: who listens where, and connections between two ends of one process. */
import { type Duplex, duplexPair } from 'node:stream';
import {
  type Address,
  FileError,
  type PeerCredentials,
  type Sockets,
  type VmPeer,
} from '../../src/daemon/runtime.ts';

export interface VirtualSockets extends Sockets {
  /** From outside. @param where the path of a socket, or a loopback port @throws where nobody listens */
  connect(where: string | number, peer?: PeerCredentials): Duplex;
  /** From a VM, by vsock. @throws where nobody listens */
  connectFromVm(port: number, peer: VmPeer): Duplex;
  /** Ports of guests that take connections, as `ADDRESS:PORT`; may be added to. */
  readonly guestPorts: Set<string>;
  /** Every one that was tried, in their order. */
  readonly tried: readonly string[];
  /** Who listens, with the mode and group that were asked for. */
  readonly listening: readonly Address[];
  /** As of a process that has died: everything is closed. */
  crash(): void;
}

interface Served {
  readonly address: Address;
  readonly onConnection: OnConnection;
  /** Whether each end closes with the other, as real ones do. */
  readonly isLinked?: true;
}

type OnConnection = (stream: Duplex, peer: PeerCredentials | null) => void;

const rootPeer: PeerCredentials = { uid: 0, gid: 0, pid: 1000 };

export function virtualSockets(): VirtualSockets {
  const servers = new Map<string | number, Served>();
  const vmServers = new Map<number, (stream: Duplex, peer: VmPeer) => void>();
  const ends = new Set<Duplex>();
  const guestPorts = new Set<string>();
  const tried: string[] = [];
  const pair = () => {
    const [ours, theirs] = duplexPair();
    ends.add(theirs);
    theirs.once('close', () => ends.delete(theirs));
    return { ours, theirs };
  };
  return {
    listen: async (address, onConnection) => {
      const where = address.kind === 'unix' ? address.path : address.port;
      if (servers.has(where)) throw new FileError('Failed', `somebody listens at ${where}`);
      servers.set(where, { address, onConnection });
      return { close: async () => void servers.delete(where) };
    },
    listenToVm: async (path, onConnection) => {
      if (servers.has(path)) throw new FileError('Failed', `somebody listens at ${path}`);
      const address: Address = { kind: 'unix', path, mode: 0o666, group: null };
      const served = { address, onConnection: (stream: Duplex) => onConnection(stream) };
      servers.set(path, { ...served, isLinked: true });
      return { close: async () => void servers.delete(path) };
    },
    listenToVms: async (port, onConnection) => {
      if (vmServers.has(port)) throw new FileError('Failed', `somebody listens at vsock ${port}`);
      vmServers.set(port, onConnection);
      return { close: async () => void vmServers.delete(port) };
    },
    connectFromVm: (port, peer) => {
      const onConnection = vmServers.get(port);
      if (onConnection === undefined) throw new Error(`nobody listens at vsock ${port}`);
      const { ours, theirs } = pair();
      link(ours, theirs);
      queueMicrotask(() => onConnection(theirs, peer));
      return ours;
    },
    connect: (where, peer = rootPeer) => {
      const server = servers.get(where);
      if (server === undefined) throw new Error(`nobody listens at ${where}`);
      const { ours, theirs } = pair();
      if (server.isLinked) link(ours, theirs);
      queueMicrotask(() => {
        server.onConnection(theirs, server.address.kind === 'unix' ? peer : null);
      });
      return ours;
    },
    takesConnections: async ({ address, port }) => {
      tried.push(`${address}:${port}`);
      return guestPorts.has(`${address}:${port}`);
    },
    guestPorts,
    tried,
    get listening() {
      return [...servers.values()].map(({ address }) => address);
    },
    crash: () => {
      servers.clear();
      vmServers.clear();
      for (const end of ends) end.destroy();
    },
  };
}

/** Once what was said is heard. */
function link(ours: Duplex, theirs: Duplex): void {
  theirs.once('close', () => setImmediate(() => ours.destroy()));
  ours.once('close', () => theirs.destroy());
}
