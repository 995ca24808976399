/**
 * What the API says when it does not do what was asked: problem details (RFC 9457) with a `code` of
 * ours, which is what programs compare. `type` is a name, not an address.
 */
import type { Diagnostic } from '../documents/diagnostic.ts';
import type { RefusalCode } from '../report/submission.ts';

/** Of the API itself; the others come from whoever refused. */
export const API_PROBLEM_CODES = [
  'BadRequest', // the request is not of the form that this route takes
  'NotFound', // no such route
  'NothingAccepted', // no documents are in force yet
  'TooLarge', // more bytes or files than may be
  'UnsupportedMediaType', // a body that is not JSON
  'EventsGone', // events behind the one that was named are no longer kept
  'TooManyRequests', // in so short a time
  'OperatorsOnly', // a Primary may not ask for it
  'AgentElsewhere', // another agent keeps the partition up to date
  'NotConfirmed', // the confirmation does not name the partition
  'NoHost', // the agent has no connection to the host
  'NoAnswer', // the daemon has not answered in time; whether it will do it is not known
  'Internal', // a bug in unnestd
] as const;
export type ApiProblemCode = (typeof API_PROBLEM_CODES)[number];

export const PROBLEM_TYPE = 'application/problem+json';

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  /** Of documents that were refused. */
  readonly diagnostics?: readonly Diagnostic[];
}

const apiStatuses: { readonly [C in ApiProblemCode]: number } = {
  BadRequest: 400,
  NotFound: 404,
  NothingAccepted: 404,
  TooLarge: 413,
  UnsupportedMediaType: 415,
  EventsGone: 410,
  TooManyRequests: 429,
  OperatorsOnly: 403,
  AgentElsewhere: 409,
  NotConfirmed: 422,
  NoHost: 502,
  NoAnswer: 504,
  Internal: 500,
};

const refusalStatuses: { readonly [C in RefusalCode]: number } = {
  NotTheSource: 409,
  NoPartition: 404,
  Invalid: 422,
  StaleGeneration: 409,
  GenerationReused: 409,
  NotInForce: 412,
  NoSuchGeneration: 404,
  RolledBack: 409,
  NotStored: 507,
  NotRead: 503,
  Draining: 409,
  TooBusy: 503,
};

export function apiProblem(code: ApiProblemCode, detail: string): Problem {
  return problemOf(code, apiStatuses[code], detail);
}

export function refusalProblem(
  code: RefusalCode,
  detail: string,
  diagnostics: readonly Diagnostic[] = [],
): Problem {
  const problem = problemOf(code, refusalStatuses[code], detail);
  return diagnostics.length === 0 ? problem : { ...problem, diagnostics };
}

/** An order that was understood and is not carried out. */
export function conflictProblem(code: string, detail: string): Problem {
  return problemOf(code, 409, detail);
}

/** @param code in CamelCase, of which the title is made: `Not the source` */
function problemOf(code: string, status: number, detail: string): Problem {
  const words = code.replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return { type: `urn:unnest:problem:${code}`, title: words, status, detail, code };
}
