/** Sockets in memory: who listens where, and connections between two ends of one process. */
import { type Duplex, duplexPair } from 'node:stream';
import {
  type Address,
  FileError,
  type PeerCredentials,
  type Sockets,
} from '../../src/daemon/runtime.ts';

export interface VirtualSockets extends Sockets {
  /** From outside. @param where the path of a socket, or a loopback port @throws where nobody listens */
  connect(where: string | number, peer?: PeerCredentials): Duplex;
  /** Who listens, with the mode and group that were asked for. */
  readonly listening: readonly Address[];
  /** As of a process that has died: everything is closed. */
  crash(): void;
}

type OnConnection = (stream: Duplex, peer: PeerCredentials | null) => void;

const rootPeer: PeerCredentials = { uid: 0, gid: 0, pid: 1000 };

export function virtualSockets(): VirtualSockets {
  const servers = new Map<string | number, { address: Address; onConnection: OnConnection }>();
  const ends = new Set<Duplex>();
  return {
    listen: async (address, onConnection) => {
      const where = address.kind === 'unix' ? address.path : address.port;
      if (servers.has(where)) throw new FileError('Failed', `somebody listens at ${where}`);
      servers.set(where, { address, onConnection });
      return { close: async () => void servers.delete(where) };
    },
    connect: (where, peer = rootPeer) => {
      const server = servers.get(where);
      if (server === undefined) throw new Error(`nobody listens at ${where}`);
      const [ours, theirs] = duplexPair();
      ends.add(theirs);
      theirs.once('close', () => ends.delete(theirs));
      queueMicrotask(() => {
        server.onConnection(theirs, server.address.kind === 'unix' ? peer : null);
      });
      return ours;
    },
    get listening() {
      return [...servers.values()].map(({ address }) => address);
    },
    crash: () => {
      servers.clear();
      for (const end of ends) end.destroy();
    },
  };
}
