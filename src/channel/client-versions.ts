/**
 * Requests to somebody who may be of another version. What they do not have, or do not understand, is said
 * with which side is older and what to do: a code of theirs, or a form that they refuse, would say neither.
 */
import type * as z from 'zod';
import { versionAnswer } from './client-answers.ts';
import { openLines } from './client-lines.ts';
import { ask, type Transport, type Wish } from './client-transport.ts';
import { DaemonError } from './daemon-error.ts';

export interface Asking {
  one<T>(wish: Wish, answer: z.ZodType<T>, signal: AbortSignal): Promise<T>;
  lines<T>(wish: Wish, line: z.ZodType<T>, signal: AbortSignal): Promise<AsyncIterable<T>>;
}

/** @param own the version that asks; null: not known, and then nothing is said of it */
export function askingOver(transport: Transport, own: string | null): Asking {
  const explained = async <T>(wish: Wish, signal: AbortSignal, asking: Promise<T>): Promise<T> => {
    try {
      return await asking;
    } catch (error) {
      throw own === null ? error : await explain(wish, error, transport, own, signal);
    }
  };
  return {
    one: (wish, answer, signal) => explained(wish, signal, ask(transport, wish, answer, signal)),
    lines: (wish, line, signal) =>
      explained(wish, signal, openLines(transport, wish, line, signal)),
  };
}

export const versionWish: Wish = { method: 'GET', path: '/v1/version' };

/** With these the other side says that it does not know what was asked for, or we not what was answered. */
const puzzling: ReadonlySet<string> = new Set(['NotFound', 'BadRequest', 'NotUnderstood']);

async function explain(
  wish: Wish,
  error: unknown,
  transport: Transport,
  own: string,
  signal: AbortSignal,
): Promise<unknown> {
  if (!(error instanceof DaemonError) || !puzzling.has(error.code)) return error;
  if (wish.path === versionWish.path) {
    return differs(`what answers on ${transport.name} does not speak version 1 of the API`, error);
  }
  const theirs = await ask(transport, versionWish, versionAnswer, signal).catch(() => null);
  const words = theirs && wordsOf(own, theirs.version, error.code === 'NotFound');
  return words === null ? error : differs(`${words}. It said: ${error.message}`, error);
}

function differs(message: string, cause: DaemonError): DaemonError {
  return new DaemonError('VersionsDiffer', message, { cause });
}

/** Null: both are the same, and what is wrong is something else. */
function wordsOf(own: string, theirs: string, isMissing: boolean): string | null {
  const what = isMissing ? 'has no such route' : 'does not understand this, or is not understood';
  const order = compared(own, theirs);
  if (order > 0) {
    return `unnestd is of version ${theirs}, older than this unnest (${own}), and ${what}: upgrade unnest on the host, and restart unnestd`;
  }
  if (order < 0) {
    return `unnestd is of version ${theirs}, newer than this unnest (${own}), and ${what}: upgrade unnest here, and restart its agent if it has one`;
  }
  // Nothing of this version lacks a route that this version asks for.
  return isMissing
    ? `unnestd calls itself ${theirs} as this unnest does, and ${what}: it, or the agent on the way, is of a build before: restart both`
    : null;
}

/** Below 0: `a` comes before `b`. Of what is no version, nothing is known. */
function compared(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.split(/[.-]/, 3).map(Number));
  for (const [index, part] of (left ?? []).entries()) {
    const difference = part - (right?.[index] ?? 0);
    if (difference !== 0) return Number.isNaN(difference) ? 0 : difference;
  }
  return 0;
}
