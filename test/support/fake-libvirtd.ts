/**
 * A libvirtd that says what a test tells it to, good or bad, on a Unix socket. It shakes hands
 * like the real one; every other call goes to the test's `onCall`, which answers through the
 * peer, sends raw bytes, or stays silent. It shares the codecs with the client, so that what
 * these bytes look like is proved elsewhere, by recorded frames and against a real libvirtd.
 */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serverError } from '../../src/libvirt/server-error.ts';
import { type Codec, flag, i32, nothing, u32 } from '../../src/libvirt/wire/codec.ts';
import { array } from '../../src/libvirt/wire/combinators.ts';
import { FrameSplitter } from '../../src/libvirt/wire/frame-splitter.ts';
import {
  decodeBody,
  encodePacket,
  type PacketHeader,
  type PacketKind,
  programs,
  readHeader,
} from '../../src/libvirt/wire/packet.ts';

export interface FakeCall {
  readonly header: PacketHeader;
  readonly packet: Buffer;
  readonly peer: FakePeer;
  /** The arguments, decoded. */
  args<T>(codec: Codec<T>): T;
  reply<T>(codec: Codec<T>, value: T): void;
  replyNothing(): void;
  refuse(number: number, message: string): void;
}

export type OnCall = (call: FakeCall) => void;

export interface FakeOptions {
  readonly onCall?: OnCall;
  /** Whether to answer auth, feature and open calls; default yes. */
  readonly shakesHands?: boolean;
  /** Authentication methods on offer; default none needed. */
  readonly auth?: readonly number[];
  /** Features supported; default keepalive and the close callback. */
  readonly features?: readonly number[];
  readonly onConnect?: (peer: FakePeer) => void;
}

const handshake = { open: 1, feature: 60, authList: 66 } as const;

export class FakePeer {
  /** Every packet received, pings and pongs too. */
  readonly received: PacketHeader[] = [];
  readonly socket: Socket;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  raw(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  send<T>(header: Partial<PacketHeader>, codec: Codec<T>, body: T): void {
    const defaults = {
      program: programs.remote,
      procedure: 0,
      kind: 'reply',
      serial: 0,
      status: 'ok',
    } as const;
    this.raw(encodePacket({ ...defaults, ...header }, codec, body));
  }

  event<T>(procedure: number, codec: Codec<T>, body: T): void {
    this.send({ procedure, kind: 'event' }, codec, body);
  }

  ping(): void {
    this.send({ program: programs.keepalive, procedure: 1, kind: 'event' }, nothing, undefined);
  }
}

export class FakeLibvirtd {
  readonly path: string;
  readonly peers: FakePeer[] = [];
  readonly options: FakeOptions;
  readonly #directory: string;
  readonly #server = createServer((socket) => this.#onConnect(socket));

  private constructor(directory: string, options: FakeOptions) {
    this.#directory = directory;
    this.path = join(directory, 'sock');
    this.options = options;
  }

  static async start(options: FakeOptions = {}): Promise<FakeLibvirtd> {
    const fake = new FakeLibvirtd(await mkdtemp(join(tmpdir(), 'fake-libvirtd-')), options);
    await fake.listen();
    return fake;
  }

  /** Also after `hangUp`, to be there again. */
  async listen(): Promise<void> {
    this.#server.listen(this.path);
    await once(this.#server, 'listening');
  }

  /** Like a daemon that dies: nobody listens, every connection is cut. */
  async hangUp(): Promise<void> {
    for (const peer of this.peers) peer.socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.hangUp();
    await rm(this.#directory, { recursive: true, force: true });
  }

  /** The connection made last. */
  get peer(): FakePeer {
    const peer = this.peers.at(-1);
    if (peer === undefined) throw new Error('nobody has connected');
    return peer;
  }

  #onConnect(socket: Socket): void {
    const peer = new FakePeer(socket);
    this.peers.push(peer);
    const splitter = new FrameSplitter((packet) => this.#onPacket(peer, packet));
    socket.on('data', (chunk) => splitter.push(chunk)).on('error', () => {});
    this.options.onConnect?.(peer);
  }

  #onPacket(peer: FakePeer, packet: Buffer): void {
    const header = readHeader(packet);
    peer.received.push(header);
    if (header.program === programs.keepalive) return;
    const call = fakeCall(peer, header, packet);
    if (this.options.shakesHands !== false && this.#shakeHands(call)) return;
    this.options.onCall?.(call);
  }

  #shakeHands(call: FakeCall): boolean {
    switch (call.header.procedure) {
      case handshake.authList:
        call.reply(array(u32), this.options.auth ?? [0]);
        return true;
      case handshake.feature:
        call.reply(flag, (this.options.features ?? [10, 15]).includes(call.args(i32)));
        return true;
      case handshake.open:
        call.replyNothing();
        return true;
      default:
        return false;
    }
  }
}

function fakeCall(peer: FakePeer, header: PacketHeader, packet: Buffer): FakeCall {
  const { serial, procedure } = header;
  const kind: PacketKind = 'reply';
  return {
    header,
    packet,
    peer,
    args: (codec) => decodeBody(codec, packet),
    reply: (codec, value) => peer.send({ procedure, serial, kind }, codec, value),
    replyNothing: () => peer.send({ procedure, serial, kind }, nothing, undefined),
    refuse: (number, message) =>
      peer.send(
        { procedure, serial, kind, status: 'error' },
        serverError,
        refusal(number, message),
      ),
  };
}

function refusal(number: number, message: string) {
  return {
    number,
    domain: 10,
    message,
    level: 2,
    domainHandle: null,
    text1: null,
    text2: null,
    text3: null,
    number1: 0,
    number2: 0,
    networkHandle: null,
  };
}
