/**
 * Every order and submission, refused ones too, as lines of JSON that are only ever added to: a file a day,
 * another one where it grows large, and the oldest go. What could not be written is counted, and said with the
 * next line that can be.
 */
import { join } from 'node:path';
import * as z from 'zod';
import { explainError } from '../../host/host-error.ts';
import type { AuditEntry } from '../../report/audit.ts';
import { FileError, type Files } from '../runtime.ts';

export const auditLimits = {
  fileBytesMax: 8 * 2 ** 20,
  filesMax: 32,
  /** That wait for the disk; more are lost, and counted. */
  waitingMax: 10_000,
} as const;

const fileMode = 0o640;
const folderMode = 0o750;
const fileName = /^\d{4}-\d{2}-\d{2}\.\d{4}\.jsonl$/;

export interface AuditLogOptions {
  readonly files: Pick<Files, 'append' | 'facts' | 'list' | 'makeFolder' | 'read' | 'remove'>;
  readonly folder: string;
  /** Told once for as long as it is so. */
  readonly onFailure: (message: string) => void;
}

interface AuditFile {
  readonly name: string;
  readonly bytes: number;
}

export class AuditLog {
  readonly #options: AuditLogOptions;
  #waiting: AuditEntry[] = [];
  #lost = 0;
  #writing: Promise<void> | null = null;
  #hasFailed = false;
  /** The file that is added to, and how large it is; null: not known yet. */
  #file: AuditFile | null = null;

  constructor(options: AuditLogOptions) {
    this.#options = options;
  }

  record(entry: AuditEntry): void {
    if (this.#waiting.length >= auditLimits.waitingMax) this.#lost += 1;
    else this.#waiting.push(entry);
    this.#writing ??= this.#write().finally(() => (this.#writing = null));
  }

  /** The last ones, oldest first. @param isWanted of those that count */
  async last(count: number, isWanted: (entry: AuditEntry) => boolean): Promise<AuditEntry[]> {
    await this.#writing;
    const found: AuditEntry[] = [];
    for (const name of (await this.#names()).toReversed()) {
      const wanted = (await this.#entriesIn(name)).filter(isWanted);
      found.unshift(...wanted.slice(-(count - found.length)));
      if (found.length >= count) break;
    }
    return found;
  }

  /** Resolves when all is written, as far as it can be. */
  async close(): Promise<void> {
    await this.#writing;
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const entries = this.#waiting;
      this.#waiting = [];
      const lost = this.#lost;
      const said = lost === 0 ? {} : { lost };
      const lines = entries.map((entry, index) =>
        JSON.stringify(index === 0 ? { ...entry, ...said } : entry),
      );
      const text = `${lines.join('\n')}\n`;
      try {
        await this.#append(entries[0]?.at ?? '', text);
        // More may have been lost meanwhile.
        this.#lost -= lost;
        this.#hasFailed = false;
      } catch (error) {
        this.#lost += entries.length;
        this.#file = null;
        if (!this.#hasFailed) this.#options.onFailure(explainError(error));
        this.#hasFailed = true;
        return;
      }
    }
  }

  async #append(at: string, text: string): Promise<void> {
    const { files, folder } = this.#options;
    const day = at.slice(0, 10);
    const file = await this.#fileFor(day);
    await files.append(join(folder, file.name), text, fileMode);
    this.#file = { name: file.name, bytes: file.bytes + Buffer.byteLength(text) };
  }

  async #fileFor(day: string): Promise<AuditFile> {
    const { files, folder } = this.#options;
    if (this.#file?.name.startsWith(day) === true && this.#file.bytes < auditLimits.fileBytesMax) {
      return this.#file;
    }
    await files.makeFolder(folder, folderMode);
    const names = await this.#names();
    const ofDay = names.filter((name) => name.startsWith(day));
    const newest = ofDay.at(-1);
    if (newest !== undefined) {
      const { bytes } = await files.facts(join(folder, newest));
      if (bytes < auditLimits.fileBytesMax) return { name: newest, bytes };
    }
    // The newest of them is about to be made.
    const surplus = names.slice(0, Math.max(0, names.length + 1 - auditLimits.filesMax));
    for (const name of surplus) await files.remove(join(folder, name));
    const number = Number(newest?.slice(11, 15) ?? '0') + 1;
    return { name: `${day}.${`${number}`.padStart(4, '0')}.jsonl`, bytes: 0 };
  }

  /** By age. */
  async #names(): Promise<readonly string[]> {
    const { files, folder } = this.#options;
    try {
      const entries = await files.list(folder);
      return entries
        .flatMap(({ name, kind }) => (kind === 'file' && fileName.test(name) ? [name] : []))
        .sort();
    } catch (error) {
      if (error instanceof FileError && error.code === 'Missing') return [];
      throw error;
    }
  }

  async #entriesIn(name: string): Promise<readonly AuditEntry[]> {
    const { files, folder } = this.#options;
    // A line may have been begun below the limit and end above it.
    const bytes = await files.read(join(folder, name), 2 * auditLimits.fileBytesMax);
    return new TextDecoder().decode(bytes).split('\n').flatMap(entryIn);
  }
}

const entry = z.looseObject({
  at: z.string(),
  by: z.string(),
  from: z.enum(['operator', 'primary']),
  partition: z.string(),
  request: z.string(),
  outcome: z.string(),
  generation: z.number().nullable(),
});

/** None of a line that a crash has cut off. */
function entryIn(line: string): readonly AuditEntry[] {
  try {
    return [entry.parse(JSON.parse(line)) as unknown as AuditEntry];
  } catch {
    return [];
  }
}
