/** The socket of a VM: in whose folder it may be, and what is made of what its hypervisor answers. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { machineSockets } from '../../../../src/daemon/machine/sockets.ts';
import { HandshakeReader } from '../../../../src/daemon/machine/vm-handshake.ts';
import { dialGuest } from '../../../../src/daemon/machine/vm-socket.ts';
import { fakeHypervisor } from '../../../support/fake-hypervisor.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'unnest-vm-socket-'));
});
afterEach(() => rmSync(root, { recursive: true }));

describe('a folder', () => {
  const listens = async (folder: string) => {
    const listening = await machineSockets.listenToVm(join(folder, 'v.sock_1021'), () => undefined);
    await listening.close();
  };
  const made = (mode: number) => {
    const folder = join(root, 'vm');
    mkdirSync(folder);
    chmodSync(folder, mode);
    return folder;
  };

  test.each([0o700, 0o750, 0o1770])('that is closed to others is taken (%o)', async (mode) => {
    await expect(listens(made(mode))).resolves.toBeUndefined();
  });

  test.each([
    [0o701, 'is open to everybody'],
    [0o755, 'is open to everybody'],
    [0o1777, 'is open to everybody'],
    [0o770, 'lets its group take away'],
  ])('that is not is refused (%o)', async (mode, why) => {
    await expect(listens(made(mode))).rejects.toThrow(why);
  });

  test('that is none, or is somewhere else than it says, is refused', async () => {
    await expect(listens(join(root, 'none'))).rejects.toThrow('there is no folder');
    symlinkSync(made(0o700), join(root, 'link'));
    await expect(listens(join(root, 'link'))).rejects.toThrow('is no folder, but a link');
    writeFileSync(join(root, 'file'), '');
    await expect(listens(join(root, 'file'))).rejects.toThrow('is no folder');
  });
});

describe('what a hypervisor answers', () => {
  let server: Server | null = null;
  afterEach(() => void server?.close());
  const path = () => join(root, 'v.sock');
  const serve = async (made: Server) => {
    server = made;
    await new Promise<void>((done) => void made.listen(path(), done));
  };
  const answering = (text: string) =>
    createServer((stream: Socket) => {
      stream.on('error', () => undefined);
      stream.end(text);
    });

  test('is an error where nobody listens in the guest', async () => {
    await serve(fakeHypervisor(() => null));
    await expect(dialGuest(path(), 7)).rejects.toThrow('nobody listens there');
    await expect(dialGuest(join(root, 'none'), 7)).rejects.toThrow('ENOENT');
  });

  test.each(['OK\n', 'OK 1', 'OK x\n', 'ok 1\n', 'OK 12345678901\n', 'HTTP/1.1 200 OK\r\n', '\n'])(
    'is refused if it is %j',
    async (text) => {
      await serve(answering(text));
      await expect(dialGuest(path(), 7)).rejects.toThrow(
        /not the answer of a hypervisor|nobody listens there/,
      );
    },
  );

  test('is taken to the end of its line, and not a byte more', async () => {
    await serve(answering('OK 1073741824\nOK 5\nhello\n'));
    const stream = await dialGuest(path(), 7);
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).toString()).toBe('OK 5\nhello\n');
  });
});

const numRuns = Number(process.env['UNNEST_HANDSHAKE_RUNS'] ?? 2000);

/** Nearly right, so that more than the first byte of most is read. */
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 64 }),
  fc
    .tuple(
      fc.constantFrom('OK ', 'OK', 'O', 'OK  ', ''),
      fc.stringMatching(/^[0-9]{0,12}$/),
      fc.constantFrom('\n', '\r\n', '', '\n\n'),
      fc.uint8Array({ maxLength: 32 }),
    )
    .map(([a, b, c, rest]) => Uint8Array.from([...Buffer.from(a + b + c), ...rest])),
);

test('whatever bytes come: a line that is one is taken, and nothing behind it', () => {
  fc.assert(
    fc.property(bytes, (all) => {
      const reader = new HandshakeReader();
      let taken = 0;
      for (const byte of all) {
        if (reader.state !== 'reading') break;
        reader.take(byte);
        taken += 1;
      }
      const [line] = /^OK [0-9]{1,10}\n/.exec(Buffer.from(all).toString('latin1')) ?? [];
      expect(reader.state === 'connected').toBe(line !== undefined);
      expect(line === undefined || taken === line.length).toBe(true);
      expect(reader.said.length).toBeLessThanOrEqual(14);
      // What was decided stays so.
      const { state } = reader;
      if (state !== 'reading') reader.take(10);
      expect(reader.state).toBe(state);
    }),
    { numRuns },
  );
});
