/**
 * What operators have asked for and documents do not say: who is to be left alone, whose guest is to
 * be started or stopped once, whether the partition is being emptied. A wish is in force once it is
 * on the disk: what was answered with `ok` outlives a crash, and what was refused has changed nothing.
 */
import { join } from 'node:path';
import { explainError } from '../../host/host-error.ts';
import type { PartitionName, SecondaryName } from '../../model/names.ts';
import { FileError, type Files } from '../runtime.ts';
import { passableMode } from './accepted-folder.ts';
import { inTurn } from './in-turn.ts';
import { seal } from './sealed-file.ts';
import { firstIssue, isBefore } from './stored-parts.ts';
import {
  type AnsweredOrder,
  type Drain,
  type Hold,
  type PowerRequest,
  unexpired,
  type WishesContent,
  wishesContent,
  type WrittenImage,
  withAnswer,
} from './wish-schema.ts';
import { readWishes } from './wishes-file.ts';

const fileMode = 0o600;

export type WishAnswer =
  | { readonly status: 'ok' }
  | {
      readonly status: 'refused';
      /** `Invalid`: too many, or not of the form that it must have. */
      readonly code: 'Invalid' | 'NotStored';
      readonly message: string;
    };

/**
 * Of a file that is torn the whole partition is held, and `problem` says why.
 * @throws FileError if it could not be read: another time it may be
 */
export async function openWishes(
  files: Files,
  stateFolder: string,
  partition: PartitionName,
): Promise<Wishes> {
  const folder = join(stateFolder, partition);
  const path = join(folder, 'wishes.json');
  const { content, problem } = await readWishes(files, path);
  return new Wishes({ files, folder, path }, content, problem);
}

interface Place {
  readonly files: Files;
  readonly folder: string;
  readonly path: string;
}

export class Wishes {
  readonly #place: Place;
  readonly #inTurn = inTurn();
  #content: WishesContent;
  #problem: string | null;

  constructor(place: Place, content: WishesContent, problem: string | null) {
    this.#place = place;
    this.#content = content;
    this.#problem = problem;
  }

  /** Those that have expired among them, until `dropExpired`. */
  get holds(): readonly Hold[] {
    return this.#content.holds;
  }

  get requests(): readonly PowerRequest[] {
    return this.#content.requests;
  }

  /** Orders that need not be done again. @param instant ISO 8601, UTC */
  answeredSince(instant: string): readonly AnsweredOrder[] {
    return this.#content.answered.filter(({ at }) => isBefore(instant, at));
  }

  /** Null: the partition is not being emptied. */
  get drain(): Drain | null {
    return this.#content.drain;
  }

  /** What Primaries say that they have handed over. */
  get written(): readonly WrittenImage[] {
    return this.#content.written;
  }

  /** Why the file could not be read; null once the partition was resumed. */
  get problem(): string | null {
    return this.#problem;
  }

  /** Takes the place of one that the same Secondary, or the partition, has. */
  addHold(hold: Hold): Promise<WishAnswer> {
    return this.#change(({ holds }) => ({ holds: [...without(holds, hold.secondary), hold] }));
  }

  /** Of one that is not there it is done already. @param secondary null: that of the partition */
  async removeHold(secondary: SecondaryName | null): Promise<WishAnswer> {
    const answer = await this.#change(({ holds }) => ({ holds: without(holds, secondary) }));
    if (answer.status === 'ok' && secondary === null) this.#problem = null;
    return answer;
  }

  /** Ends the partition's pause and its being emptied, both or none. */
  async resume(): Promise<WishAnswer> {
    const answer = await this.#change(({ holds }) => ({
      holds: without(holds, null),
      drain: null,
    }));
    if (answer.status === 'ok') this.#problem = null;
    return answer;
  }

  /** @param at ISO 8601, UTC */
  dropExpired(at: string): Promise<WishAnswer> {
    return this.#change(({ holds }) => ({ holds: unexpired(holds, at) }));
  }

  /**
   * Takes the place of one for the same Secondary: the last word counts.
   * @param answer to be known when the order comes again: it is there with the request, or neither is
   */
  addRequest(request: PowerRequest, answer: AnsweredOrder | null = null): Promise<WishAnswer> {
    return this.#change(({ requests, answered }) => ({
      requests: [...requests.filter(({ secondary }) => secondary !== request.secondary), request],
      ...(answer === null ? {} : { answered: withAnswer(answered, answer) }),
    }));
  }

  /** This very one: another that has come in the meantime stays. */
  removeRequest(request: PowerRequest): Promise<WishAnswer> {
    return this.#change(({ requests }) => ({
      requests: requests.filter((each) => !isSame(each, request)),
    }));
  }

  /** Takes the place of one for the same Image. */
  addWritten(said: WrittenImage): Promise<WishAnswer> {
    return this.#change(({ written }) => ({
      written: [...written.filter(({ image }) => image !== said.image), said],
    }));
  }

  /** This very one: another that has come in the meantime stays. */
  removeWritten(said: WrittenImage): Promise<WishAnswer> {
    return this.#change(({ written }) => ({
      written: written.filter(({ image, at }) => image !== said.image || at !== said.at),
    }));
  }

  /** @param drain null: it is not being emptied any more */
  setDrain(drain: Drain | null): Promise<WishAnswer> {
    return this.#change(() => ({ drain }));
  }

  /** Nothing is written if nothing changes. */
  #change(change: (content: WishesContent) => Partial<WishesContent>): Promise<WishAnswer> {
    return this.#inTurn(async () => {
      const wanted = { ...this.#content, ...change(this.#content) };
      if (JSON.stringify(wanted) === JSON.stringify(this.#content)) return { status: 'ok' };
      const checked = wishesContent.safeParse(wanted);
      if (!checked.success) return refused('Invalid', firstIssue(checked.error));
      const failure = await written(this.#place, checked.data);
      if (failure !== null) return refused('NotStored', failure);
      this.#content = checked.data;
      return { status: 'ok' };
    });
  }
}

async function written(place: Place, content: WishesContent): Promise<string | null> {
  const { files, folder, path } = place;
  try {
    await files.makeFolder(folder, passableMode);
    await files.replace(path, seal('wishes', content), fileMode);
    return null;
  } catch (error) {
    if (error instanceof FileError) return explainError(error);
    throw error;
  }
}

function without(holds: readonly Hold[], secondary: SecondaryName | null): readonly Hold[] {
  return holds.filter((hold) => hold.secondary !== secondary);
}

function isSame(a: PowerRequest, b: PowerRequest): boolean {
  return (
    a.secondary === b.secondary && a.action === b.action && a.runId === b.runId && a.at === b.at
  );
}

function refused(code: 'Invalid' | 'NotStored', message: string): WishAnswer {
  return { status: 'refused', code, message };
}
