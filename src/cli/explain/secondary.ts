/**
 * Why one Secondary is as it is, and what would change it: from the host alone, and, where documents
 * are given, from the plan that they make.
 */
import { fieldRules } from '../../diff/fields.ts';
import type { DomainFields, FieldName, ObservedDomain } from '../../model/domain.ts';
import type { Resource } from '../../model/resource.ts';
import type { Plan } from '../../plan/plan.ts';
import { formatValue } from '../render/field-value.ts';
import { type Paint, printable } from '../render/paint.ts';
import { renderPlan } from '../render/plan.ts';
import type { SecondaryStatus } from '../status.ts';

/** @param plan of the documents that were given, or null */
export function explainSecondary(status: SecondaryStatus, plan: Plan | null, paint: Paint): string {
  const lines = [`${paint.bold(status.name)} is ${status.status}${because(status)}`];
  if (status.domain !== null) lines.push(...whatWaits(status), ...whatMoved(status.domain));
  lines.push('', ...whatWouldChangeIt(status, plan, paint));
  return `${lines.join('\n')}\n`;
}

function because({ domain, why }: SecondaryStatus): string {
  if (why !== null) return `: it could not be read, ${printable(why)}`;
  if (domain === null) return '';
  const { power, stopAsked, defined } = domain;
  const policy = `its run policy is ${defined.runPolicy}`;
  if (power.status !== 'stopped') return `, and ${policy}`;
  return `: ${stopAsked ? 'unnest was asked to stop it' : stopWords[power.reason]}; ${policy}`;
}

type StopReason = Extract<ObservedDomain['power'], { status: 'stopped' }>['reason'];

const stopWords: { readonly [R in StopReason]: string } = {
  'guest-shutdown': 'the guest shut itself down',
  'powered-off': 'somebody powered it off',
  crashed: 'it crashed',
  failed: 'it could not be started',
  unknown: 'libvirt no longer knows why, or it was never started',
};

function whatWaits({ waiting }: SecondaryStatus): string[] {
  return waiting.map(({ field, path, from, to }) => {
    const values = `${formatValue(field, from)} now, ${formatValue(field, to)} after its next start`;
    return `  ${path}: ${values}`;
  });
}

/** What somebody changed in the definition since unnest last wrote it. */
function whatMoved({ defined, lastApplied }: ObservedDomain): string[] {
  if (lastApplied === null)
    return ['  nobody knows what unnest last applied: its mark was changed'];
  const names = Object.keys(fieldRules) as FieldName[];
  return names
    .filter((field) => defined[field] !== lastApplied[field])
    .map((field) => {
      const value = (fields: DomainFields) => formatValue(field, fields[field]);
      return `  ${fieldRules[field].path}: changed on the host from ${value(lastApplied)} to ${value(defined)}`;
    });
}

function whatWouldChangeIt({ name }: SecondaryStatus, plan: Plan | null, paint: Paint): string[] {
  if (plan === null) {
    return ['Give its documents with -f to see what `unnest apply` would do to it, and why.'];
  }
  const isIts = (resource: Resource | null) =>
    resource?.kind === 'secondary' && resource.name === name;
  const entries = plan.entries.filter(({ resource }) => isIts(resource));
  const [entry] = entries;
  if (entry === undefined || (entry.kind === 'unchanged' && entry.waiting.length === 0)) {
    return ['It is as its document says: `unnest apply` would do nothing to it.'];
  }
  const operations = plan.operations.filter(({ resource }) => isIts(resource));
  const text = renderPlan({ ...plan, entries, operations }, paint);
  return ['`unnest apply` would do this to it:', text.trimEnd()];
}
