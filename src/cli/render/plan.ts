/** A plan for people: one block for each Secondary that changes, one line that sums it up. */
import type { Reason } from '../../diff/change.ts';
import type { FieldChange, Origin } from '../../diff/fields.ts';
import { describe } from '../../plan/describe.ts';
import type { Resource } from '../../model/resource.ts';
import type { PlanEntry } from '../../plan/entry.ts';
import type { Operation, OperationId } from '../../plan/operation.ts';
import type { Plan } from '../../plan/plan.ts';
import { type PlanSummary, summarise } from '../../plan/summary.ts';
import { formatValue } from './field-value.ts';
import { nameOf } from './outcomes.ts';
import { type Paint, printable } from './paint.ts';

export function renderPlan(plan: Plan, paint: Paint): string {
  const steps = stepsOf(plan);
  const shown = plan.entries.flatMap((entry) => renderEntry(entry, steps, paint));
  const summary = summarise(plan);
  const first = plan.operations.find(({ kind }) => kind === 'installation.record');
  const note =
    first === undefined ? [] : [paint.dim(`  first use of this host: will ${describe(first)}`)];
  const gap = note.length + shown.length > 0 ? [''] : [];
  return `${[...note, ...shown, ...gap, summaryLine(summary, paint)].join('\n')}\n`;
}

function renderEntry(entry: PlanEntry, steps: Steps, paint: Paint): string[] {
  const name = paint.bold(nameOf(entry.resource));
  switch (entry.kind) {
    case 'blocked': {
      const { code, message } = entry.block;
      return [`  ${paint.red('!')} ${name}: blocked`, `      ${code}: ${printable(message)}`];
    }
    case 'unchanged':
      if (entry.waiting.length === 0) return [];
      return [`  ${paint.dim('·')} ${name}: nothing to do`, ...waitingLines(entry, paint)];
    case 'kept':
      return [];
    case 'create':
    case 'update':
    case 'delete':
      return [
        `  ${symbol(entry, paint)} ${name}: ${headline(entry, paint)}`,
        ...entry.reasons.map((reason) => `      because ${reasonWords[reason]}`),
        ...entry.fields.map((field) => `      ${renderField(field, entry.kind, paint)}`),
        ...waitingLines(entry, paint),
        paint.dim(`      will ${describeSteps(entry, steps)}`),
      ];
  }
}

type WorkEntry = Extract<PlanEntry, { kind: 'create' | 'update' | 'delete' }>;

function symbol({ kind, impact }: WorkEntry, paint: Paint): string {
  if (impact === 'replace') return paint.red('±');
  switch (kind) {
    case 'create':
      return paint.green('+');
    case 'update':
      return paint.yellow('~');
    case 'delete':
      return paint.red('-');
  }
}

function headline({ resource, kind, impact, reasons }: WorkEntry, paint: Paint): string {
  if (impact === 'destroys-data') return `delete, ${paint.red('destroys its data')}`;
  if (kind !== 'update') return kind;
  switch (impact) {
    case 'replace':
      return paint.yellow('replace');
    case 'restart':
      return `update, ${paint.yellow('restarts the guest')}`;
    case 'stop':
      return paint.yellow('shut down');
    case 'live':
      return reasons.some((reason) => updateReasons.has(reason)) ? 'update, live' : 'repair, live';
    case 'none':
      if (reasons.includes('not-active') && !isChanged(reasons)) return 'start';
      if (resource.kind === 'secondary' && !isChanged(reasons)) return 'start';
      return reasons.includes('not-running') ? 'update and start' : 'update';
  }
}

/** Because somebody asks for something else; everything else that is done live repairs. */
const updateReasons = new Set<Reason>(['document-changed', 'reservations-changed']);

function isChanged(reasons: readonly Reason[]): boolean {
  return reasons.includes('document-changed') || reasons.includes('changed-outside');
}

const reasonWords: { readonly [R in Reason]: string } = {
  'not-on-host': 'it is not on the host',
  'document-changed': 'its document asks for something else',
  'changed-outside': 'somebody changed it on the host',
  'definition-gone': 'somebody undefined it while it runs',
  'not-running': 'it does not run, and its run policy wants it to',
  paused: 'it is paused, and its run policy wants it to run',
  'should-be-halted': 'it runs, and its run policy wants it halted',
  'stop-noted': 'a stop that was noted on it did not take place',
  'not-in-documents': 'no document speaks of it',
  'asked-for': 'you asked for it',
  'half-made': 'it was left half made, or half deleted',
  'not-lent': 'its Primary is to write to it, and does not have it',
  'images-taken': 'files of it become Images, or those that did are gone',
  'not-active': 'it is not active',
  carved: 'its Secondaries need what it has, or no longer do',
  'reservations-changed': 'Secondaries with a NIC on it have come, gone or lost their address',
};

function renderField(
  { field, path, from, to, impact, origin }: FieldChange,
  kind: WorkEntry['kind'],
  paint: Paint,
): string {
  if (kind === 'create') return `${path}: ${formatValue(field, to)}`;
  const change = `${path}: ${formatValue(field, from)} -> ${formatValue(field, to)}`;
  const notes = [...(impact === 'none' ? [] : [impact]), ...originWords[origin]];
  return notes.length === 0 ? change : `${change} ${paint.dim(`(${notes.join(', ')})`)}`;
}

/** That a document changed is what people expect, and needs no words. */
const originWords: { readonly [O in Origin]: readonly string[] } = {
  document: [],
  outside: ['changed on the host'],
  both: ['changed in the document and on the host'],
  unknown: [],
};

function waitingLines(
  { resource, waiting }: { readonly resource: Resource; readonly waiting: readonly FieldChange[] },
  paint: Paint,
): string[] {
  if (waiting.length === 0) return [];
  const paths = waiting.map(({ path }) => path).join(', ');
  if (resource.kind === 'image-disk') {
    const until = 'waits for the next image to come off it, or its Primary to start anew';
    return [`      ${paint.yellow(until)}: ${paths}`];
  }
  return [
    `      ${paint.yellow('waits for a restart')}: ${paths}`,
    paint.dim('      (set updatePolicy: Restart to have it restarted)'),
  ];
}

/** Of the whole plan, in execution order. */
type Steps = ReadonlyMap<OperationId, { readonly operation: Operation; readonly place: number }>;

function stepsOf({ operations }: Plan): Steps {
  return new Map(operations.map((operation, place) => [operation.id, { operation, place }]));
}

function describeSteps({ operations }: WorkEntry, steps: Steps): string {
  return operations
    .flatMap((id) => steps.get(id) ?? [])
    .sort((a, b) => a.place - b.place)
    .map(({ operation }) => describe(operation))
    .join(', ');
}

function updateDetails({ restart, stop }: PlanSummary): string {
  const parts = [
    ...(restart > 0 ? [`${restart} with a restart`] : []),
    ...(stop > 0 ? [`${stop} by a shutdown`] : []),
  ];
  return parts.length > 0 ? ` (${parts.join(', ')})` : '';
}

function dataDetails({ destroysData }: PlanSummary): string {
  return destroysData > 0 ? ` (${destroysData} with data)` : '';
}

function summaryLine(summary: PlanSummary, paint: Paint): string {
  const parts = [
    [summary.create, 'to create'],
    [summary.update, `to update${updateDetails(summary)}`],
    [summary.delete, `to delete${dataDetails(summary)}`],
    [summary.blocked, 'blocked'],
    [summary.waiting, 'waiting for a restart'],
  ] as const;
  const said = parts.filter(([count]) => count > 0).map(([count, words]) => `${count} ${words}`);
  const kept = summary.kept > 0 ? [`${summary.kept} kept without a document`] : [];
  const unchanged = `${summary.unchanged} unchanged`;
  const changes = summary.create + summary.update + summary.delete + summary.blocked;
  const head = changes === 0 ? 'No changes' : 'Plan';
  return `${paint.bold(head)}: ${[...said, unchanged, ...kept].join(', ')}.`;
}
