/** A port of vsock that is listened to for as long as somebody may speak there, and tried again until it is. */
import type { Duplex } from 'node:stream';
import type { Listening, Runtime, VmPeer } from '../daemon/runtime.ts';
import { listenUntil } from './listen-until.ts';

export interface VmDoorOptions {
  readonly runtime: Pick<Runtime, 'sockets' | 'timers'>;
  readonly port: number;
  /** The stream is destroyed if it rejects, which is a bug. */
  readonly onConnection: (stream: Duplex, peer: VmPeer) => Promise<void>;
  readonly onOpen: (port: number) => void;
  /** Told once of each reason. */
  readonly onUnavailable: (message: string) => void;
  readonly onBug: (error: unknown) => void;
}

export class VmDoor {
  readonly #options: VmDoorOptions;
  #ends = new AbortController();
  #listening: Promise<Listening | null> | null = null;

  constructor(options: VmDoorOptions) {
    this.#options = options;
  }

  /** Of one that is open it is done already. */
  open(): void {
    this.#listening ??= this.#listenUntilHeard(this.#ends.signal);
  }

  /** May be opened again. Connections that are there stay. */
  async shut(): Promise<void> {
    this.#ends.abort();
    this.#ends = new AbortController();
    const listening = this.#listening;
    this.#listening = null;
    await (await listening)?.close();
  }

  #listenUntilHeard(ends: AbortSignal): Promise<Listening | null> {
    const { runtime, port, onOpen, onUnavailable } = this.#options;
    const { sockets, timers } = runtime;
    const listen = async () => {
      const listening = await sockets.listenToVms(port, (stream, peer) => this.#take(stream, peer));
      onOpen(port);
      return listening;
    };
    return listenUntil({ listen, timers, onUnavailable }, ends);
  }

  #take(stream: Duplex, peer: VmPeer): void {
    stream.on('error', () => undefined);
    this.#options.onConnection(stream, peer).catch((error: unknown) => {
      stream.destroy();
      this.#options.onBug(error);
    });
  }
}
