/**
 * A plan in a file: made, reviewed, and carried out later as it is, or not at all. It is read back
 * as strictly as a document, since whoever can write the file decides what is done.
 */
import { createHash } from 'node:crypto';
import type { PartitionName } from '../model/names.ts';
import type { Basis } from '../plan/basis.ts';
import type { Plan } from '../plan/plan.ts';
import { CommandError } from './command-error.ts';
import { exitCodes } from './exit-codes.ts';
import { disagreement } from './saved-plan-agreement.ts';
import {
  SAVED_PLAN_API_VERSION,
  type SavedPlanDocument,
  savedPlanSchema,
} from './saved-plan-schema.ts';

export interface SavedPlan {
  readonly plan: Plan;
  readonly basis: Basis;
}

export function writeSavedPlan({ plan, basis }: SavedPlan): string {
  const { partition, installation, entries, operations } = plan;
  const content = {
    partition,
    installation,
    basis: Object.fromEntries(basis),
    entries,
    operations,
  };
  const document = { apiVersion: SAVED_PLAN_API_VERSION, digest: digestOf(content), ...content };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Against mistakes, not against an attacker, who could compute it as well. */
function digestOf(content: object): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}

/** @throws CommandError `validation` if this is not a plan that unnest has written */
export function readSavedPlan(text: string, path: string, partition: PartitionName): SavedPlan {
  const json = parseJson(text, path);
  const parsed = savedPlanSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const place = issue === undefined ? '' : ` (at ${issue.path.join('.')}: ${issue.message})`;
    throw new CommandError(exitCodes.validation, `${path} is not a saved plan${place}`);
  }
  checkDigest(json, path);
  const why = disagreement(parsed.data);
  if (why !== null) {
    throw new CommandError(exitCodes.validation, `${path} is not a saved plan (${why})`);
  }
  const { basis, digest: _, apiVersion: __, ...plan } = parsed.data;
  if (plan.partition !== partition) {
    const message = `${path} is a plan for partition ${plan.partition}, not ${partition}`;
    throw new CommandError(exitCodes.usage, message, { remedy: `say -p ${plan.partition}` });
  }
  return {
    // The patterns behind the brands have been checked.
    plan: plan as unknown as Plan,
    basis: new Map(Object.entries(basis)),
  };
}

/** Of the JSON as it stands in the file, since the order of its keys counts. */
function checkDigest(json: unknown, path: string): void {
  // The schema has found an object with these keys.
  const { digest, apiVersion: _, ...content } = json as SavedPlanDocument;
  if (digestOf(content) === digest) return;
  const message = `${path} was changed after it was made`;
  throw new CommandError(exitCodes.validation, message, { remedy: 'make it anew' });
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CommandError(exitCodes.validation, `${path} is not JSON`, { cause });
  }
}
