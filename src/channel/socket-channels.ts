/**
 * The channel to Primaries of hypervisors that give each VM's vsock as Unix sockets, as Firecracker and
 * cloud-hypervisor do: what a guest connects to at a port comes out at `<socket>_<port>`. Who speaks is which
 * socket it came by, whose folder nobody else can enter; the operator's configuration says whose it is.
 */
import type { Duplex } from 'node:stream';
import type { Listening, Runtime } from '../daemon/runtime.ts';
import type { PartitionName } from '../model/names.ts';
import type { Emit } from '../report/event.ts';
import { type ApiServer, makeApiServer } from './api-server.ts';
import type { Control } from './control.ts';
import { primaryConnectionRate, primaryLimits } from './limits.ts';
import { listenUntil } from './listen-until.ts';
import { RequestRate } from './request-rate.ts';
import { primaryScope } from './scope.ts';

export interface SocketChannelsOptions {
  readonly control: Control;
  readonly runtime: Runtime;
  /** Of vsock. */
  readonly port: number;
  /** The socket of each one's VM, as its hypervisor is told; `<socket>_<port>` is made here. */
  readonly sockets: ReadonlyMap<PartitionName, string>;
  readonly emit: Emit;
  readonly onBug: (error: unknown) => void;
}

interface Open {
  readonly ends: AbortController;
  readonly listening: Promise<Listening | null>;
  readonly api: Promise<ApiServer>;
}

export class SocketChannels {
  readonly #options: SocketChannelsOptions;
  readonly #open = new Map<PartitionName, Open>();

  constructor(options: SocketChannelsOptions) {
    this.#options = options;
  }

  /** Whether this one's Primary speaks here, and nowhere else. */
  has(partition: PartitionName): boolean {
    return this.#options.sockets.has(partition);
  }

  /** These may speak, as far as they have a socket, and no others any more. */
  admit(partitions: ReadonlySet<PartitionName>): void {
    for (const [partition, open] of this.#open) {
      if (!partitions.has(partition)) this.#close(partition, open).catch(this.#options.onBug);
    }
    for (const [partition, path] of this.#options.sockets) {
      if (!partitions.has(partition) || this.#open.has(partition)) continue;
      this.#open.set(partition, this.#begin(partition, path));
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open].map(([partition, open]) => this.#close(partition, open)));
  }

  #begin(partition: PartitionName, path: string): Open {
    const { control, runtime, port, emit, onBug } = this.#options;
    const scope = primaryScope(partition);
    const api = makeApiServer({ control, runtime, scope, limits: primaryLimits, onBug });
    const ends = new AbortController();
    const asker = { words: `Primary of ${partition}`, party: `the Primary of ${partition}` };
    const rate = new RequestRate(primaryConnectionRate, runtime.clock);
    const take = (stream: Duplex) => {
      stream.on('error', () => undefined);
      // An answer to each would cost more than whoever connects.
      if (!rate.take()) return void stream.destroy();
      api.then(
        (each) => (ends.signal.aborted ? stream.destroy() : each.take(stream, asker)),
        (error: unknown) => {
          stream.destroy();
          onBug(error);
        },
      );
    };
    const listen = () => runtime.sockets.listenToVm(`${path}_${port}`, take);
    const { timers } = runtime;
    const onUnavailable = (message: string) => emit({ kind: 'channel-unavailable', message });
    return { ends, api, listening: listenUntil({ listen, timers, onUnavailable }, ends.signal) };
  }

  async #close(partition: PartitionName, { ends, listening, api }: Open): Promise<void> {
    this.#open.delete(partition);
    ends.abort();
    await (await listening)?.close();
    await (await api).close();
  }
}
