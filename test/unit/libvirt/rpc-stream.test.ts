import { once } from 'node:events';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { finished, pipeline } from 'node:stream/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { connect } from '../../../src/libvirt/index.ts';
import { i32 } from '../../../src/libvirt/wire/codec.ts';
import { packetBytesMin } from '../../../src/libvirt/wire/limits.ts';
import { encodeHeader, type PacketStatus } from '../../../src/libvirt/wire/packet.ts';
import { serverError } from '../../../src/libvirt/server-error.ts';
import { type FakeCall, FakeLibvirtd } from '../../support/fake-libvirtd.ts';

const vm = { name: 'vm', uuid: '00000000-0000-0000-0000-000000000001', id: 3 };
const volume = { pool: 'p', name: 'v', key: '/v' };
const none = Buffer.alloc(0);
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    (error: unknown) => error,
  );
const until = async (isSo: () => boolean) => {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
};

/** The server's end of a stream: what came in, and means to answer. */
class Far {
  readonly pieces: Buffer[] = [];
  readonly statuses: PacketStatus[] = [];
  readonly call: FakeCall;
  constructor(call: FakeCall) {
    this.call = call;
  }
  send(status: PacketStatus, body: Buffer): boolean {
    const { procedure, serial, program } = this.call.header;
    const { socket } = this.call.peer;
    socket.write(encodeHeader({ program, procedure, serial, kind: 'stream', status }, body.length));
    return socket.write(body);
  }
  get bytes(): Buffer {
    return Buffer.concat(this.pieces);
  }
}

/** `onPacket` sees every stream packet of the client; the opening call is answered first. */
async function start(
  onOpen: (far: Far) => void,
  onPacket: (far: Far, status: PacketStatus) => void,
) {
  let far: Far | undefined;
  const fake = await FakeLibvirtd.start({
    onCall: (call) => {
      if (call.header.kind === 'call' && far !== undefined) return call.reply(i32, 0);
      if (far === undefined) {
        far = new Far(call);
        call.replyNothing();
        return onOpen(far);
      }
      far.pieces.push(call.packet.subarray(packetBytesMin));
      far.statuses.push(call.header.status);
      return onPacket(far, call.header.status);
    },
  });
  onTestFinished(() => fake[Symbol.asyncDispose]());
  const connection = await connect({ socketPath: fake.path });
  onTestFinished(() => connection.close());
  return { fake, connection, far: () => far as Far };
}

const confirm = (far: Far, status: PacketStatus) => {
  if (status === 'ok') far.send('ok', none);
};

const refusal = {
  number: 38,
  domain: 18,
  message: 'disk full',
  level: 2,
  domainHandle: null,
  text1: null,
  text2: null,
  text3: null,
  number1: 0,
  number2: 0,
  networkHandle: null,
};
const refuse = (far: Far) =>
  far.call.peer.send({ ...far.call.header, kind: 'stream', status: 'error' }, serverError, refusal);

describe('an upload', () => {
  test('arrives byte for byte, in pieces that libvirt takes, and is confirmed', async () => {
    const { connection, far, fake } = await start(() => {}, confirm);
    const data = Buffer.alloc(700_000, 'some bytes of a volume ');
    const upload = await connection.storage.upload(volume);
    await pipeline(Readable.from([data, none, Buffer.from('end')]), upload);
    expect(far().bytes.equals(Buffer.concat([data, Buffer.from('end')]))).toBe(true);
    expect(Math.max(...far().pieces.map(({ length }) => length))).toBe(262_120);
    expect(far().statuses).toEqual(['continue', 'continue', 'continue', 'continue', 'ok']);
    await until(() => fake.peers[1]?.socket.destroyed === true);
  });

  test('is not finished before libvirtd says so', async () => {
    const { connection, far } = await start(
      () => {},
      () => {},
    );
    const upload = await connection.storage.upload(volume);
    let isFinished = false;
    upload.on('finish', () => (isFinished = true)).end('data');
    await until(() => far()?.statuses.includes('ok'));
    expect(isFinished).toBe(false);
    far().send('ok', none);
    await finished(upload);
  });

  test('fails with the refusal that comes in its middle', async () => {
    const { connection } = await start(
      () => {},
      (far, status) => status === 'ok' && refuse(far),
    );
    const upload = await connection.storage.upload(volume);
    const error = await failure(pipeline(Readable.from(['data']), upload));
    expect(error).toMatchObject({
      name: 'LibvirtError',
      code: 'SYSTEM_ERROR',
      procedure: 'storage_vol_upload',
    });
  });

  test('that is destroyed is aborted at the other end', async () => {
    const { connection, far, fake } = await start(
      () => {},
      () => {},
    );
    const upload = await connection.storage.upload(volume);
    upload.write('some');
    await until(() => far()?.pieces.length === 1);
    upload.destroy();
    await until(() => fake.peers[1]?.socket.destroyed === true);
    expect(far().statuses).toEqual(['continue', 'error']);
  });
});

describe('a download', () => {
  test('gives all bytes, and ends when libvirtd has confirmed', async () => {
    const piece = Buffer.alloc(100_000, 'x');
    const { connection, far, fake } = await start((far) => {
      for (let count = 0; count < 20; count += 1) far.send('continue', piece);
      far.send('continue', none);
    }, confirm);
    const bytes = await buffer(await connection.storage.download(volume));
    expect(bytes.length).toBe(2_000_000);
    expect(far().statuses).toEqual(['ok']);
    await until(() => fake.peers[1]?.socket.destroyed === true);
  });

  test('that nobody reads stops the sender, not memory', async () => {
    const piece = Buffer.alloc(1_000_000, 'x');
    const { connection, far } = await start((far) => {
      for (let count = 0; count < 20; count += 1) far.send('continue', piece);
      far.send('continue', none);
    }, confirm);
    const download = await connection.storage.download(volume);
    await connection.domains.isActive(vm);
    const { socket } = far().call.peer;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(socket.writableLength).toBeGreaterThan(15_000_000);
    expect(download.readableLength).toBeLessThan(2_100_000);
    expect((await buffer(download)).length).toBe(20_000_000);
  });

  test('fails at the refusal in its middle', async () => {
    const { connection } = await start((far) => {
      far.send('continue', Buffer.from('half'));
      refuse(far);
    }, confirm);
    const error = await failure(
      connection.storage.download(volume).then((download) => buffer(download)),
    );
    expect(error).toMatchObject({ name: 'LibvirtError', code: 'SYSTEM_ERROR' });
  });

  test('fails, and does not just end, when libvirtd goes away', async () => {
    const { connection, far } = await start(
      (far) => far.send('continue', Buffer.from('half')),
      confirm,
    );
    const download = await connection.storage.download(volume);
    const whole = failure(buffer(download));
    far().call.peer.socket.destroy();
    expect(await whole).toMatchObject({ reason: 'closed' });
  });

  test('fails with the connection that it belongs to', async () => {
    const { connection, fake } = await start(() => {}, confirm);
    const download = await connection.storage.download(volume);
    const whole = failure(buffer(download));
    fake.peers[0]?.socket.destroy();
    expect(await whole).toMatchObject({ reason: 'closed' });
  });
});

describe('a console', () => {
  test('carries both ways, and ends from our side', async () => {
    const { connection, far } = await start(
      (far) => far.send('continue', Buffer.from('login: ')),
      (far, status) => {
        if (status === 'continue')
          far.send('continue', Buffer.from(`echo ${far.pieces.at(-1)?.toString()}`));
        confirm(far, status);
      },
    );
    const console = await connection.domains.openConsole(vm);
    expect(String((await once(console, 'data'))[0])).toBe('login: ');
    console.write('root');
    expect(String((await once(console, 'data'))[0])).toBe('echo root');
    console.end();
    await finished(console);
    expect(far().statuses).toEqual(['continue', 'ok']);
  });

  test('ends on both sides when the guest is gone', async () => {
    const { connection } = await start((far) => far.send('continue', none), confirm);
    const console = await connection.domains.openConsole(vm);
    console.resume();
    await finished(console);
    expect([console.readableEnded, console.writableFinished]).toEqual([true, true]);
  });

  test('that is refused rejects, and leaves no socket open', async () => {
    const fake = await FakeLibvirtd.start({ onCall: (call) => call.refuse(55, 'not running') });
    onTestFinished(() => fake[Symbol.asyncDispose]());
    const connection = await connect({ socketPath: fake.path });
    onTestFinished(() => connection.close());
    expect(await failure(connection.domains.openConsole(vm))).toMatchObject({
      code: 'OPERATION_INVALID',
    });
    await until(() => fake.peers[1]?.socket.destroyed === true);
  });

  test('is asked for no keepalive, since its reader may pause it', async () => {
    const { connection, fake } = await start(() => {}, confirm);
    const console = await connection.domains.openConsole(vm);
    console.destroy();
    expect(fake.peers[1]?.received.map(({ procedure }) => procedure)).toEqual([66, 1, 201]);
  });
});
