/** What a route answers, before anything of HTTP is said: handlers are functions from call to this. */
import type { PartitionName } from '../model/names.ts';
import type { Answer } from './control.ts';
import { conflictProblem, type Problem, refusalProblem } from './problem.ts';
import type { SubmissionResult } from '../report/submission.ts';

/** Hands over lines for as long as somebody reads them. @returns how to stop that */
export type LineSource = (send: (value: unknown) => void, end: () => void) => () => void;

export type Answered =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'problem'; readonly problem: Problem }
  /** One JSON value a line (NDJSON). */
  | { readonly kind: 'lines'; readonly source: LineSource };

export const value = (value: unknown): Answered => ({ kind: 'value', value });
export const problem = (problem: Problem): Answered => ({ kind: 'problem', problem });

export function noPartition(name: PartitionName): Answered {
  return problem(
    refusalProblem('NoPartition', `the operator has described no partition ${name} on this host`),
  );
}

/** @param result null: there is no such partition */
export function ofSubmission(result: SubmissionResult | null, partition: PartitionName): Answered {
  if (result === null) return noPartition(partition);
  switch (result.status) {
    case 'accepted':
    case 'unchanged':
      return value(result);
    case 'refused':
      return problem(refusalProblem(result.code, result.message, result.diagnostics));
  }
}

/** @param answer null: there is no such partition */
export function ofAnswer(answer: Answer | null, partition: PartitionName): Answered {
  if (answer === null) return noPartition(partition);
  switch (answer.status) {
    case 'ok':
      return value(answer);
    case 'refused':
      return problem(conflictProblem(answer.code, answer.message));
  }
}
