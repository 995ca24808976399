/** What becomes of the bytes of an Image that were handed in: the host looks into them, or takes them no more. */
import type { DaemonClient } from '../channel/client.ts';
import type { ImageState } from '../channel/control.ts';
import { DaemonError } from '../channel/daemon-error.ts';
import type { Block } from '../diff/change.ts';
import { rootOf } from '../diff/ownership.ts';
import type { ImageName, PartitionName } from '../model/names.ts';
import type { ResourceReport } from '../report/partition-status.ts';
import { CommandError } from './command-error.ts';
import { stoppedLooking } from './daemon.ts';
import type { Environment } from './environment.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import type { Limits } from './pass.ts';

export interface HandedIn {
  readonly client: DaemonClient;
  readonly partition: PartitionName;
  readonly name: ImageName;
  /** Then what its Primary has said of that disk may be forgotten. */
  readonly isOnDisk: boolean;
}

/** What the host says of it once it has looked. @param earlier when the last pass before it has ended */
export async function outcome(
  handedIn: HandedIn,
  earlier: string | null,
  { stdout }: Environment,
  limits: Limits,
): Promise<ExitCode> {
  const { client, partition, name } = handedIn;
  const ends = new AbortController();
  const stop = AbortSignal.any([limits.stop, ends.signal]);
  let now = 'unnestd has not said yet';
  let blockedBy: string | null = null;
  try {
    for await (const status of await client.statuses(partition, stop)) {
      const report = status.resources.find((each) => each.kind === 'image' && each.name === name);
      if (report?.phase === 'Ready') {
        stdout.write(`${name} is ready\n`);
        return exitCodes.ok;
      }
      // What was said before these bytes came is not about them.
      const isNews = status.lastPass?.at !== earlier;
      if (isNews && report?.phase === 'Rejected') throw rejected(report);
      if (isNews)
        now = report === undefined ? 'no document speaks of it any more' : (report.phase ?? now);
      if (report?.phase === 'Blocked') blockedBy = report.message;
      // Of documents that were not looked at yet nothing is known.
      const isLookedAt = status.observedGeneration >= status.generation;
      if (handedIn.isOnDisk && isLookedAt && report?.phase !== 'Importing') {
        await checkHandedOver(handedIn, blockedBy, stop);
      }
    }
  } catch (error) {
    if (!limits.stop.aborted || (error instanceof DaemonError && error.code !== 'Cancelled')) {
      throw error;
    }
  } finally {
    ends.abort();
  }
  if (limits.stop.aborted) throw stoppedLooking(limits, `${name} ready`, now);
  throw new DaemonError('Broken', `unnestd has ended while waiting for ${name}: ${now}`);
}

export function saidAgain(name: ImageName): string {
  return `\`unnest hand-over ${name}\`, without a file, says so again and writes nothing`;
}

/** Nobody takes the disk any more whose Image was blocked for something that somebody has to end. */
async function checkHandedOver(
  { client, partition, name }: HandedIn,
  blockedBy: string | null,
  stop: AbortSignal,
): Promise<void> {
  const state = await client.image(partition, name, stop);
  if (state.handedOver !== false) return;
  switch (state.phase) {
    case 'Ready':
    case 'Importing':
      // All of it was taken, and that is said next.
      return;
    case 'Rejected':
      throw rejected(state);
    case 'Pending':
    case 'Blocked':
      throw forgotten(state, blockedBy);
  }
}

function rejected({ name, message }: Pick<ResourceReport, 'name' | 'message'>): CommandError {
  return new CommandError(exitCodes.partial, `${name} was rejected: ${message}`, {
    remedy: 'correct the file, or its document, and hand it in again',
  });
}

/** @param seen what has blocked it, which goes on to be said only while it does */
function forgotten({ name, phase, message }: ImageState, seen: string | null): CommandError {
  const why = phase === 'Blocked' ? message : (seen ?? message);
  const code = codeIn(why);
  const todo =
    code === null || code === 'AwaitingBytes'
      ? '`unnest events` tells what has blocked it'
      : `end what blocks it (\`unnest explain ${code}\`)`;
  const words = `${name} was not taken, and is not waited for any more: ${why}`;
  return new CommandError(exitCodes.partial, words, { remedy: `${todo}; then ${saidAgain(name)}` });
}

/** Of what a status says of something that is blocked: the code that it all comes from. */
function codeIn(words: string): string | null {
  const [, code, message = ''] = /^(\w+): ([^]*)$/.exec(words) ?? [];
  if (code === undefined) return null;
  // As the status has put it there.
  return rootOf({ code: code as Block['code'], message }).code;
}
