/** The ways between VMs and their host that any machine has, on real sockets; vsock is the lab's. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';
import { machineSockets } from '../../../../src/daemon/machine/sockets.ts';
import { dialGuest } from '../../../../src/daemon/machine/vm-socket.ts';
import { streamContract } from '../../../contract/stream-contract.ts';
import { fakeHypervisor } from '../../../support/fake-hypervisor.ts';

const port = 1021;

function folderOf(): string {
  const folder = mkdtempSync(join(tmpdir(), 'unnest-ways-'));
  chmodSync(folder, 0o700);
  return folder;
}

const dialTo = (path: string) =>
  new Promise<Socket>((done, fail) => {
    const socket = createConnection({ path, allowHalfOpen: true });
    socket.once('connect', () => done(socket));
    socket.once('error', fail);
  });

describe('a Unix socket', () => {
  streamContract(async (onConnection) => {
    const folder = folderOf();
    const path = join(folder, 'operator.sock');
    const address = { kind: 'unix', path, mode: 0o600, group: null } as const;
    const listening = await machineSockets.listen(address, onConnection);
    return {
      dial: () => dialTo(path),
      close: async () => {
        await listening.close();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  });
});

describe("a VM's socket, from its guest", () => {
  streamContract(async (onConnection) => {
    const folder = folderOf();
    const path = `${join(folder, 'v.sock')}_${port}`;
    const listening = await machineSockets.listenToVm(path, onConnection);
    return {
      dial: () => dialTo(path),
      close: async () => {
        await listening.close();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  });
});

describe("a VM's socket, to its guest", () => {
  streamContract(async (onConnection) => {
    const folder = folderOf();
    const path = join(folder, 'v.sock');
    const server = fakeHypervisor((asked) => (asked === port ? onConnection : null));
    await new Promise<void>((done) => server.listen(path, done));
    return {
      dial: () => dialGuest(path, port),
      close: async () => {
        server.close();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  });
});
