/**
 * Where the daemon listens. A Unix socket is made in a folder of its own that nobody else can enter,
 * given its mode and group there, and only then moved into place: at no moment can anybody connect
 * who may not. (A umask would do so too, but it is the whole process's.)
 */
import { randomBytes } from 'node:crypto';
import { chmod, chown, lstat, mkdir, rename, rm } from 'node:fs/promises';
import { connect, createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { type Address, FileError, type Listening, type Sockets } from '../runtime.ts';
import { errnoOf, fileError, whileDoing } from './file-error.ts';
import { groupId } from './group-id.ts';
import { type AskPeer, peerCredentials } from './peer-credentials.ts';
import { identityOf } from './read-file.ts';
import { refuseOpenFolder } from './vm-socket.ts';
import { listenVsock } from './vsock.ts';

type UnixAddress = Extract<Address, { kind: 'unix' }>;
type OnConnection = Parameters<Sockets['listen']>[1];

export const machineSockets: Sockets = {
  async listen(address, onConnection) {
    switch (address.kind) {
      case 'unix':
        return whileDoing(`listening at ${address.path}`, () => listenUnix(address, onConnection));
      case 'loopback':
        return whileDoing(`listening at 127.0.0.1:${address.port}`, () =>
          listenLoopback(address.port, onConnection),
        );
    }
  },
  listenToVm: (path, onConnection) =>
    whileDoing(`listening at ${path}`, async () => {
      await refuseOpenFolder(path);
      // Whoever can get into the folder is who it is for.
      const address = { kind: 'unix', path, mode: 0o666, group: null } as const;
      return listenUnix(address, (stream) => onConnection(stream));
    }),
  listenToVms: (port, onConnection) =>
    whileDoing(`listening at vsock port ${port}`, () => listenVsock(port, onConnection)),
  takesConnections: ({ address: host, port }, localAddress, signal) =>
    new Promise((done) => {
      const socket = connect({ host, port, localAddress, family: 4, signal });
      socket.once('connect', () => {
        done(true);
        socket.destroy();
      });
      // Also when the signal fires.
      socket.on('error', () => done(false));
    }),
};

async function listenLoopback(port: number, onConnection: OnConnection): Promise<Listening> {
  const server = serverFor(onConnection, () => null);
  await startListening(server, { host: '127.0.0.1', port });
  return { close: async () => void server.close() };
}

async function listenUnix(address: UnixAddress, onConnection: OnConnection): Promise<Listening> {
  await refuseTaken(address.path);
  const server = serverFor(onConnection, await peerCredentials());
  const identity = await putInPlace(server, address);
  return {
    close: async () => {
      server.close();
      // Not that of another process which has taken its place.
      if ((await identityAt(address.path)) === identity) await rm(address.path, { force: true });
    },
  };
}

/** @returns the identity of the socket that is there then */
async function putInPlace(server: Server, { path, mode, group }: UnixAddress): Promise<string> {
  const gid = group === null ? null : await groupId(group);
  const folder = join(dirname(path), `.${randomBytes(3).toString('hex')}`);
  await mkdir(folder, { mode: 0o700 });
  const draft = join(folder, 's');
  try {
    await startListening(server, { path: draft });
    // Nothing between what is -1 here and the owner that it has.
    if (gid !== null) await chown(draft, -1, gid);
    await chmod(draft, mode);
    const identity = await identityAt(draft);
    await rename(draft, path);
    return identity ?? '';
  } catch (error) {
    server.close();
    throw fileError(`making the socket ${path}`, error);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function serverFor(onConnection: OnConnection, askPeer: AskPeer): Server {
  // As of Node's own HTTP server: a client may end its side once it has asked.
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    // Whoever uses it listens as well; until then a reset must not end the process.
    socket.on('error', () => {});
    onConnection(socket, askPeer(socket));
  });
  // Such as no descriptor left for the next connection: those there are go on.
  server.on('error', () => {});
  return server;
}

function startListening(server: Server, where: ListenOptions): Promise<void> {
  return new Promise((done, fail) => {
    server.once('error', fail);
    server.listen(where, () => {
      server.off('error', fail);
      done();
    });
  });
}

/** What a crash has left behind is no obstacle; one that somebody answers on is. */
async function refuseTaken(path: string): Promise<void> {
  const stats = await lstat(path).catch(() => null);
  if (stats === null) return;
  if (!stats.isSocket()) throw new FileError('NotAFile', `${path} is not a socket`);
  if (await isAnswered(path)) throw new FileError('Failed', `somebody listens at ${path} already`);
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((done, fail) => {
    const socket: Socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      done(true);
    });
    socket.once('error', (error) => {
      // A full queue is one that somebody has; only a refusal says that nobody is there.
      if (['ECONNREFUSED', 'ENOENT'].includes(errnoOf(error))) done(false);
      else if (errnoOf(error) === 'EAGAIN') done(true);
      else fail(error);
    });
  });
}

async function identityAt(path: string): Promise<string | null> {
  const stats = await lstat(path, { bigint: true }).catch(() => null);
  return stats === null ? null : identityOf(stats);
}
