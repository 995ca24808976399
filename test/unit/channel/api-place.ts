/** The API on a real Unix socket in a folder of its own, with a fake daemon behind it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openApi } from '../../../src/channel/api.ts';
import { makeApiServer } from '../../../src/channel/api-server.ts';
import { primaryLimits } from '../../../src/channel/limits.ts';
import type { Scope } from '../../../src/channel/scope.ts';
import type { Listening, PeerCredentials, Runtime, Sockets } from '../../../src/daemon/runtime.ts';
import { fakeControl, type FakeControl } from './fake-control.ts';

export interface ApiPlace extends FakeControl {
  readonly socket: string;
  readonly bugs: unknown[];
  /** Lets every timer of at most this length ring, once. */
  ring(ms: number): void;
  /** Sends bytes as they are. @returns all that comes back until the other side closes */
  raw(text: string, options?: { readonly end?: boolean }): Promise<string>;
  close(): Promise<void>;
  dispose(): Promise<void>;
}

/**
 * @param peerOf who connects, by how many have connected before
 * @param scope of a Primary: who connects is its agent; undefined: of operators
 */
export async function apiPlace(
  peerOf: (before: number) => PeerCredentials | null = () => someUser,
  scope?: Scope,
): Promise<ApiPlace> {
  const folder = mkdtempSync(join(tmpdir(), 'unnest-api-'));
  const socket = join(folder, 'operator.sock');
  const timers = handTimers();
  const fake = fakeControl();
  const bugs: unknown[] = [];
  const runtime: Runtime = {
    clock: { now: () => 0, wall: () => Date.UTC(2026, 0, 1) },
    timers,
    files: new Proxy({} as Runtime['files'], {}),
    sockets: unixSockets(peerOf),
    random: () => 0.5,
    addresses: () => [],
  };
  const address = { kind: 'unix', path: socket, mode: 0o600, group: null } as const;
  const onBug = (error: unknown) => void bugs.push(error);
  const { control } = fake;
  const listening =
    scope === undefined
      ? await openApi(control, runtime, { address, onBug })
      : await openTo(scope, { control, runtime, onBug }, address);
  let closed: Promise<void> | null = null;
  const close = () => (closed ??= listening.close());
  return Object.assign(fake, {
    socket,
    bugs,
    ring: timers.ring,
    raw: (text: string, { end = false } = {}) => raw(socket, text, end),
    close,
    dispose: async () => {
      await close();
      rmSync(folder, { recursive: true });
    },
  });
}

/** As the channel does, without asking who it is. */
async function openTo(
  scope: Scope,
  given: Pick<Parameters<typeof makeApiServer>[0], 'control' | 'runtime' | 'onBug'>,
  address: Parameters<Sockets['listen']>[0],
): Promise<Listening> {
  const api = await makeApiServer({ ...given, scope, limits: primaryLimits });
  const listening = await given.runtime.sockets.listen(address, (stream) =>
    api.take(stream, { words: 'Primary vm, CID 7', party: 'it' }),
  );
  return {
    close: async () => {
      await listening.close();
      await api.close();
    },
  };
}

const someUser: PeerCredentials = { uid: 1000, gid: 1000, pid: 4242 };

function unixSockets(peerOf: (before: number) => PeerCredentials | null): Sockets {
  let count = 0;
  return {
    takesConnections: async () => false,
    listenToVms: () => Promise.reject(new Error('there are no VMs here')),
    listenToVm: () => Promise.reject(new Error('there are no VMs here')),
    listen: async (address, onConnection): Promise<Listening> => {
      if (address.kind !== 'unix') throw new Error('only a Unix socket here');
      const server = createServer({ allowHalfOpen: true }, (stream) => {
        onConnection(stream, peerOf(count));
        count += 1;
      });
      await new Promise<void>((done) => server.listen(address.path, done));
      return {
        close: async () => {
          server.close();
        },
      };
    },
  };
}

/** Timers that ring when the test says so, and only then. */
function handTimers() {
  const waiting = new Set<{ readonly ms: number; readonly act: () => void }>();
  const after = (ms: number, act: () => void) => {
    const one = { ms, act };
    waiting.add(one);
    return () => void waiting.delete(one);
  };
  return {
    after,
    sleep: (ms: number, signal: AbortSignal) =>
      new Promise<void>((done) => {
        const stop = after(ms, done);
        signal.addEventListener('abort', () => {
          stop();
          done();
        });
      }),
    ring: (ms: number) => {
      // Those that are set meanwhile ring the next time.
      const due = [...waiting].filter((one) => one.ms <= ms);
      for (const one of due) {
        waiting.delete(one);
        one.act();
      }
    },
  };
}

function raw(path: string, text: string, end: boolean): Promise<string> {
  return new Promise((done, fail) => {
    const chunks: string[] = [];
    const socket = connect({ path, allowHalfOpen: true });
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => chunks.push(chunk));
    socket.on('error', fail);
    socket.on('end', () => socket.end());
    socket.on('close', () => done(chunks.join('')));
    socket.write(text);
    if (end) socket.end();
  });
}
