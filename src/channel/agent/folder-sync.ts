/** A folder in the Primary, handed in as the host would take it from a folder of its own. */
import { FollowedFolder } from '../../daemon/followed-folder.ts';
import { refused } from '../../daemon/refusals.ts';
import type { Runtime } from '../../daemon/runtime.ts';
import { explainError } from '../../host/host-error.ts';
import type { PartitionName } from '../../model/names.ts';
import type { RefusalCode, SubmissionResult } from '../../report/submission.ts';
import type { DaemonClient } from '../client.ts';
import { DaemonError } from '../daemon-error.ts';
import type { EmitAgent } from './agent-event.ts';

export interface FolderSyncOptions {
  readonly runtime: Runtime;
  readonly client: Pick<DaemonClient, 'submit'>;
  readonly folder: string;
  readonly emit: EmitAgent;
  /** What became of it last. */
  readonly onSaid: (said: FolderSaid) => void;
}

export type FolderSaid =
  | { readonly status: 'accepted'; readonly generation: number }
  | { readonly status: 'refused' | 'unread'; readonly code: string; readonly message: string };

export class FolderSync {
  readonly #options: FolderSyncOptions;
  readonly #followed: FollowedFolder;
  #partition: PartitionName | null = null;
  #said = '';

  constructor(options: FolderSyncOptions) {
    const { runtime, folder } = options;
    this.#options = options;
    this.#followed = new FollowedFolder({
      runtime,
      folder,
      authority: {
        submit: (given, signal) => this.#submit(given, signal),
        documentsUnread: (code, message) => this.#say({ status: 'unread', code, message }),
      },
      onHeard: () => undefined,
    });
  }

  /** Hands in what is there: the host may not have it, or may have been told otherwise. */
  connected(partition: PartitionName): void {
    this.#partition = partition;
    this.#followed.read();
  }

  disconnected(): void {
    this.#partition = null;
  }

  close(): Promise<void> {
    return this.#followed.close();
  }

  async #submit(
    { files, isComplete }: Parameters<Followed['submit']>[0],
    signal: AbortSignal,
  ): Promise<SubmissionResult> {
    // It is read again when there is a connection.
    if (this.#partition === null) return refused('Invalid', 'there is no connection to the host');
    const submission = { files: [...files], folder: { isComplete } };
    try {
      const result = await this.#options.client.submit(this.#partition, submission, signal);
      this.#say({ status: 'accepted', generation: result.bundle.generation });
      return result;
    } catch (error) {
      const code = error instanceof DaemonError ? error.code : 'Broken';
      const message = explainError(error);
      // Somebody may still be writing: what is wrong with it is said if it stays so.
      if (isComplete && !signal.aborted) this.#say({ status: 'refused', code, message });
      return refused(retriedAs(code), message);
    }
  }

  #say(said: FolderSaid): void {
    const words = JSON.stringify(said);
    if (words === this.#said) return;
    this.#said = words;
    const { emit, onSaid } = this.#options;
    switch (said.status) {
      case 'accepted':
        emit({ kind: 'accepted', generation: said.generation });
        break;
      case 'refused':
      case 'unread': {
        const { status: kind, code, message } = said;
        emit({ kind, code, message });
      }
    }
    onSaid(said);
  }
}

type Followed = ConstructorParameters<typeof FollowedFolder>[0]['authority'];

/** Refusals that are about the documents, or about who rules: asking again is of no use. */
const lasting: ReadonlySet<string> = new Set<RefusalCode | 'TooLarge' | 'BadRequest'>([
  'NotTheSource',
  'NoPartition',
  'Invalid',
  'StaleGeneration',
  'GenerationReused',
  'RolledBack',
  'TooLarge',
  'BadRequest',
]);

/** What the followed folder does about it is decided by the code. */
function retriedAs(code: string): RefusalCode {
  return lasting.has(code) ? 'Invalid' : 'NotRead';
}
