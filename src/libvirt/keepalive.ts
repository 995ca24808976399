import { nothing } from './wire/codec.ts';
import { encodePacket, programs, type PacketHeader } from './wire/packet.ts';
import type { Timers } from './timers.ts';

/**
 * Finds out that libvirtd hangs. As long as bytes come in nothing is sent; after a quiet
 * interval a ping goes out, and after `countMax` pings without a byte the socket is given up.
 */
export interface KeepaliveOptions {
  /** Quiet time before a ping, and between pings. Default 5000, as libvirt's own. */
  readonly intervalMs: number;
  /** How many pings may go unanswered. Default 5, as libvirt's own. */
  readonly countMax: number;
}

export const keepaliveProcedures = { ping: 1, pong: 2 } as const;

function keepalivePacket(procedure: number): Buffer {
  const header: PacketHeader = {
    program: programs.keepalive,
    procedure,
    kind: 'event',
    serial: 0,
    status: 'ok',
  };
  return encodePacket(header, nothing, undefined);
}

export const pingPacket = keepalivePacket(keepaliveProcedures.ping);
export const pongPacket = keepalivePacket(keepaliveProcedures.pong);

export class Keepalive {
  readonly #options: KeepaliveOptions;
  readonly #timers: Timers;
  readonly #ping: () => void;
  readonly #expired: () => void;
  #heard = true;
  #missed = 0;
  #timer: unknown;

  constructor(options: KeepaliveOptions, timers: Timers, ping: () => void, expired: () => void) {
    this.#options = options;
    this.#timers = timers;
    this.#ping = ping;
    this.#expired = expired;
    this.#arm();
  }

  /** Bytes have come in, whatever they are. */
  heard(): void {
    this.#heard = true;
  }

  stop(): void {
    this.#timers.clearTimeout(this.#timer);
  }

  #arm(): void {
    this.#timer = this.#timers.setTimeout(() => this.#tick(), this.#options.intervalMs);
  }

  #tick(): void {
    if (this.#heard) {
      this.#heard = false;
      this.#missed = 0;
    } else if (this.#missed === this.#options.countMax) {
      return this.#expired();
    } else {
      this.#missed += 1;
      this.#ping();
    }
    this.#arm();
  }
}
