/** What became of a plan, line by line while it happens and summed up at the end. */
import type { Outcome, Report, Result } from '../../execute/outcome.ts';
import { describe } from '../../plan/describe.ts';
import type { Resource } from '../../model/resource.ts';
import type { Operation } from '../../plan/operation.ts';
import { type Paint, printable } from './paint.ts';

/** What an operation is about; what belongs to the whole installation is nobody's. */
export function subjectOf({ resource }: Operation): string {
  return resource === null ? 'host' : nameOf(resource);
}

/** A Secondary by its name alone; of everything else also what it is. */
export function nameOf({ kind, name }: Resource): string {
  switch (kind) {
    case 'secondary':
      return name;
    case 'primary':
    case 'slice':
    case 'filter':
    case 'nic':
    case 'network':
    case 'image-disk':
    case 'intake':
    case 'image':
    case 'volume':
      return `${kind} ${name}`;
    case 'seed':
      // As many digits as tell two apart for people; programs get all of them.
      return `${kind} ${name.replace(/(?<=\.[0-9a-f]{12})[0-9a-f]+$/, '')}`;
  }
}

export function renderOutcome({ operation, result, durationMs }: Outcome, paint: Paint): string {
  const subject = subjectOf(operation).padEnd(16);
  const what = describe(operation).padEnd(32);
  return `  ${subject} ${what} ${resultWords(result, paint)} ${paint.dim(formatDuration(durationMs))}`;
}

function resultWords(result: Result, paint: Paint): string {
  switch (result.status) {
    case 'applied':
      return result.detail === ''
        ? paint.green('done')
        : `${paint.green('done')}, ${result.detail}`;
    case 'already':
      return paint.green('was so already');
    case 'failed':
      return `${paint.red('failed')}: ${result.failure.code}: ${printable(result.failure.message)}`;
    case 'skipped':
      return `${paint.yellow('skipped')}, because ${result.because} did not succeed`;
    case 'cancelled':
      return `${paint.yellow('not begun')}, because of the interruption`;
  }
}

export function formatDuration(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

export interface Tally {
  readonly done: number;
  readonly failed: number;
  readonly skipped: number;
  readonly cancelled: number;
}

export function tally({ outcomes }: Report): Tally {
  const of = (...statuses: Result['status'][]) =>
    outcomes.filter(({ result }) => statuses.includes(result.status)).length;
  return {
    done: of('applied', 'already'),
    failed: of('failed'),
    skipped: of('skipped'),
    cancelled: of('cancelled'),
  };
}

export function renderReport(report: Report, paint: Paint): string {
  const { done, failed, skipped, cancelled } = tally(report);
  const parts = [`${done} done`];
  if (failed > 0) parts.push(paint.red(`${failed} failed`));
  if (skipped > 0) parts.push(`${skipped} skipped`);
  if (cancelled > 0) parts.push(`${cancelled} not begun`);
  return `${paint.bold('Operations')}: ${parts.join(', ')} in ${formatDuration(report.durationMs)}.\n`;
}
