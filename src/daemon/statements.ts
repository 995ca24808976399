/** What a partition's loop has to say of the host and of itself, as conditions. */
import type { Block } from '../diff/change.ts';
import type { Observed } from '../model/domain.ts';
import type { Statement } from '../report/condition.ts';
import type { FailureFacts } from '../report/partition-report.ts';

/** @param unreachable looks in a row that found no host */
export function hostStatement(unreachable: number, observed: Observed | null): Statement {
  const type = 'HostReachable';
  if (unreachable > 0) {
    const message = observed?.unlisted ?? '';
    return { type, status: 'False', reason: 'NoAnswer', message };
  }
  if (observed === null) return { type, status: 'Unknown', reason: 'NotAsked', message: '' };
  return { type, status: 'True', reason: 'Answers', message: '' };
}

export function pauseStatements(holdAll: Block | null): readonly Statement[] {
  if (holdAll === null) return [];
  const { code, message } = holdAll;
  return [{ type: 'Paused', status: 'True', reason: code, message }];
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
