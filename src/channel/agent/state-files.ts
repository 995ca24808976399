/**
 * What the agent says of itself and of its partition, as files: for programs that read no API, and for
 * `unnest`, which finds its socket and its partition by them. Written only when something is another.
 */
import { explainError } from '../../host/host-error.ts';
import type { Runtime } from '../../daemon/runtime.ts';
import type { PartitionName } from '../../model/names.ts';
import { instantOf } from '../../report/instant.ts';
import type { PartitionStatus } from '../../report/partition-status.ts';
import type { EmitAgent } from './agent-event.ts';
import type { FolderSaid } from './folder-sync.ts';
import type { NicSaid } from './nic-said.ts';

/** `agent.json`. */
export interface AgentState {
  readonly apiVersion: 'unnest.dev/v1';
  readonly kind: 'AgentState';
  readonly socket: string;
  /** Null: the host has not said yet. */
  readonly partition: PartitionName | null;
  readonly connected: boolean;
  /** Since when it is so: ISO 8601, UTC. */
  readonly since: string;
  /** Why it is not connected; empty: it is, or nobody has tried yet. */
  readonly message: string;
  /** What the host has made of the folder; null: there is none, or it was not handed in yet. */
  readonly folder: FolderSaid | null;
  /** What has become of the NIC on the partition's network; null: the agent was not asked to configure it. */
  readonly nic: NicSaid | null;
}

interface StateFilesOptions {
  readonly runtime: Pick<Runtime, 'files' | 'clock'>;
  readonly runDir: string;
  readonly socket: string;
  readonly emit: EmitAgent;
}

const fileMode = 0o644;

export class StateFiles {
  readonly #options: StateFilesOptions;
  #state: AgentState;
  /** One after the other, and of each file only what is newest. */
  readonly #wanted = new Map<string, string>();
  #writing: Promise<void> | null = null;

  constructor(options: StateFilesOptions) {
    const { socket } = options;
    this.#options = options;
    const nothing = { connected: false, since: this.#now(), message: '' } as const;
    const said = { folder: null, nic: null } as const;
    const head = { apiVersion: 'unnest.dev/v1', kind: 'AgentState' } as const;
    this.#state = { ...head, socket, partition: null, ...nothing, ...said };
    this.#say({});
  }

  connected(partition: PartitionName): void {
    this.#say({ partition, connected: true, since: this.#now(), message: '' });
  }

  disconnected(message: string): void {
    const { connected, since } = this.#state;
    this.#say({ connected: false, since: connected ? this.#now() : since, message });
  }

  folder(folder: FolderSaid): void {
    this.#say({ folder });
  }

  nic(nic: NicSaid): void {
    this.#say({ nic });
  }

  status(status: PartitionStatus): void {
    this.#want('status.json', status);
  }

  /** Resolves when all is written, as far as it can be. */
  async close(): Promise<void> {
    await this.#writing;
  }

  #say(more: Partial<AgentState>): void {
    this.#state = { ...this.#state, ...more };
    this.#want('agent.json', this.#state);
  }

  #want(file: string, value: object): void {
    this.#wanted.set(file, `${JSON.stringify(value, null, 2)}\n`);
    this.#writing ??= this.#write().finally(() => (this.#writing = null));
  }

  async #write(): Promise<void> {
    const { runtime, runDir, emit } = this.#options;
    for (let next = takeFirst(this.#wanted); next !== null; next = takeFirst(this.#wanted)) {
      const [file, text] = next;
      try {
        await runtime.files.swap(`${runDir}/${file}`, text, fileMode);
      } catch (error) {
        emit({ kind: 'state-not-written', message: explainError(error) });
      }
    }
  }

  #now(): string {
    return instantOf(this.#options.runtime.clock.wall());
  }
}

function takeFirst<K, V>(map: Map<K, V>): readonly [K, V] | null {
  const [first] = map;
  if (first === undefined) return null;
  map.delete(first[0]);
  return first;
}
