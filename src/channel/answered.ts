/** What a route answers, before anything of HTTP is said: handlers are functions from call to this. */
import type { PartitionName } from '../model/names.ts';
import type { Answer, Control } from './control.ts';
import { conflictProblem, type Problem, refusalProblem } from './problem.ts';
import type { SubmissionResult } from '../report/submission.ts';

/** Hands over lines for as long as somebody reads them. @returns how to stop that */
export type LineSource = (send: (value: unknown) => void, end: () => void) => () => void;

export type Answered =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'problem'; readonly problem: Problem }
  | { readonly kind: 'text'; readonly type: string; readonly text: string }
  /** One JSON value a line (NDJSON). */
  | { readonly kind: 'lines'; readonly source: LineSource };

export const value = (value: unknown): Answered => ({ kind: 'value', value });
export const problem = (problem: Problem): Answered => ({ kind: 'problem', problem });

/** What knows why a partition is not there. */
export type Describing = Pick<Control, 'problems'>;

/** A document that is there and wrong is what whoever has written it looks for. */
export function noPartition(name: PartitionName, control: Describing): Answered {
  const wrong = control.problems().find(({ file }) => file === `${name}.yaml`);
  const why = wrong === undefined ? '' : `: ${wrong.file}: ${wrong.code}: ${wrong.message}`;
  const message = `the operator has described no partition ${name} on this host${why}`;
  return problem(refusalProblem('NoPartition', message));
}

/** @param result null: there is no such partition */
export function ofSubmission(
  result: SubmissionResult | null,
  partition: PartitionName,
  control: Describing,
): Answered {
  if (result === null) return noPartition(partition, control);
  switch (result.status) {
    case 'accepted':
    case 'unchanged':
      return value(result);
    case 'refused':
      return problem(refusalProblem(result.code, result.message, result.diagnostics));
  }
}

/** @param answer null: there is no such partition */
export function ofAnswer(
  answer: Answer | null,
  partition: PartitionName,
  control: Describing,
): Answered {
  return ofRefusable(answer, partition, control, (done) => done);
}

type Refused = Extract<Answer, { readonly status: 'refused' }>;

/** @param answer null: there is no such partition. @param said what of it is answered */
export function ofRefusable<A extends { readonly status: 'ok' }>(
  answer: A | Refused | null,
  partition: PartitionName,
  control: Describing,
  said: (answer: A) => unknown,
): Answered {
  if (answer === null) return noPartition(partition, control);
  if (answer.status === 'ok') return value(said(answer));
  return problem(conflictProblem(answer.code, answer.message));
}
