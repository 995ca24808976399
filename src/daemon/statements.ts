/** What a partition's loop has to say of the host and of itself, as conditions. */
import type { Block } from '../diff/change.ts';
import type { Observed } from '../model/domain.ts';
import type { Statement } from '../report/condition.ts';
import { unlistedIn, unlistedKept } from '../report/unlisted.ts';
import type { FailureFacts, Look } from '../report/partition-report.ts';
import type { Drain } from './accepted/wish-schema.ts';

/** @param unreachable looks in a row that found no host */
export function hostStatement(unreachable: number, observed: Observed | null): Statement {
  const type = 'HostReachable';
  if (unreachable > 0) {
    const message = observed?.unlisted ?? '';
    return { type, status: 'False', reason: 'NoAnswer', message };
  }
  if (observed === null) return { type, status: 'Unknown', reason: 'NotAsked', message: '' };
  const unlisted = unlistedKept(observed);
  if (unlisted !== null) {
    return { type, status: 'Unknown', reason: 'NotListed', message: unlisted };
  }
  return { type, status: 'True', reason: 'Answers', message: '' };
}

export function pauseStatements(holdAll: Block | null): readonly Statement[] {
  if (holdAll?.code !== 'Held') return [];
  const { code, message } = holdAll;
  return [{ type: 'Paused', status: 'True', reason: code, message }];
}

export function fitStatements(unfit: Block | null): readonly Statement[] {
  if (unfit === null) return [];
  const { code, message } = unfit;
  const status = code === 'HostUnknown' ? 'Unknown' : 'False';
  return [{ type: 'FitsHost', status, reason: code, message }];
}

/** @param failures by `resourceKey` */
export function gaveUpStatements(
  failures: ReadonlyMap<string, FailureFacts>,
): readonly Statement[] {
  const names = [...failures].filter(([, { gaveUp }]) => gaveUp).map(([key]) => key);
  if (names.length === 0) return [];
  const message = `${names.join(', ')}: \`unnest retry\` or new documents try again`;
  return [{ type: 'GaveUp', status: 'True', reason: 'Failed', message }];
}

/** @param look null: nothing is known yet of what is left */
export function drainStatements(drain: Drain | null, look: Look | null): readonly Statement[] {
  if (drain === null) return [];
  const type = 'Draining';
  const asked = `asked for by ${drain.submitter} at ${drain.at}`;
  if (look === null || !isEmpty(look)) {
    const message = `${asked}; \`unnest resume\` ends it`;
    return [{ type, status: 'True', reason: 'Emptying', message }];
  }
  const message = `${asked}, and done: take its file out of the partitions' folder, or \`unnest resume\``;
  return [{ type, status: 'True', reason: 'Empty', message }];
}

/** But for what is to stay. */
function isEmpty({ entries, observed }: Look): boolean {
  return unlistedIn(observed) === null && entries.every(({ kind }) => kind === 'kept');
}
