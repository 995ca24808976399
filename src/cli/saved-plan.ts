/**
 * A plan in a file: made, reviewed, and carried out later as it is, or not at all. It is read back
 * as strictly as a document, since whoever can write the file decides what is done.
 */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import { REASONS } from '../diff/change.ts';
import { IMPACTS, ORIGINS } from '../diff/fields.ts';
import type { PartitionName, SecondaryName } from '../model/names.ts';
import { FILE_NAME_PATTERN, NAME_PATTERN } from '../model/names.ts';
import type { Basis } from '../plan/basis.ts';
import { PHASES } from '../plan/operation.ts';
import type { Plan } from '../plan/plan.ts';
import { CommandError } from './command-error.ts';
import { exitCodes } from './exit-codes.ts';

export interface SavedPlan {
  readonly plan: Plan;
  readonly basis: Basis;
}

const API_VERSION = 'unnest.dev/saved-plan/v1';

const name = z.string().regex(NAME_PATTERN);
const file = z.string().regex(FILE_NAME_PATTERN);
const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const domain = z.strictObject({ uuid: z.uuid(), domainName: z.string() });
const bytes = z.int().nonnegative();
const fields = z.strictObject({
  vcpus: z.int(),
  vcpusMax: z.int(),
  memoryBytes: bytes,
  memoryMaxBytes: bytes,
  kernel: file.nullable(),
  initrd: file.nullable(),
  commandLine: z.string().nullable(),
  disk: file.nullable(),
  diskFormat: z.string().nullable(),
  serialConsole: z.boolean(),
  runPolicy: z.string(),
  updatePolicy: z.string(),
  stopGraceMs: z.int().nonnegative(),
  protect: z.boolean(),
  labels: z.string(),
  startAfter: z.string(),
});
const definition = z.strictObject({
  ...domain.shape,
  owner: z.strictObject({ installation: z.uuid(), partition: name, secondary: name }),
  fields,
  platform: z.strictObject({ domainType: z.string(), machine: z.string().nullable() }),
});

const head = {
  id: z.string(),
  secondary: name.nullable(),
  phase: z.enum(PHASES),
  after: z.array(z.string()),
};
const operation = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('installation.record'), ...head, installation: z.uuid() }),
  z.strictObject({
    kind: z.literal('domain.define'),
    ...head,
    definition,
    basis: z.string().nullable(),
  }),
  z.strictObject({ kind: z.literal('domain.set-memory'), ...head, domain, memoryBytes: bytes }),
  z.strictObject({ kind: z.literal('domain.start'), ...head, domain }),
  z.strictObject({ kind: z.literal('domain.resume'), ...head, domain }),
  z.strictObject({
    kind: z.literal('domain.stop'),
    ...head,
    domain,
    graceMs: bytes,
    basis: z.string().nullable(),
  }),
  z.strictObject({ kind: z.literal('domain.note-stop'), ...head, domain }),
  z.strictObject({ kind: z.literal('domain.forget-stop'), ...head, domain }),
  z.strictObject({ kind: z.literal('domain.undefine'), ...head, domain, basis: z.string() }),
]);

const field = z.strictObject({
  field: z.enum(Object.keys(fields.shape)),
  from: scalar,
  to: scalar,
  impact: z.enum(IMPACTS),
  origin: z.enum(ORIGINS),
});
const entry = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.enum(['create', 'update', 'delete']),
    name,
    impact: z.enum(IMPACTS),
    reasons: z.array(z.enum(REASONS)),
    fields: z.array(field),
    waiting: z.array(field),
    operations: z.array(z.string()),
  }),
  z.strictObject({
    kind: z.literal('blocked'),
    name,
    block: z.strictObject({ code: z.string(), message: z.string() }),
  }),
  z.strictObject({ kind: z.literal('unchanged'), name, waiting: z.array(field) }),
]);

const savedPlan = z.strictObject({
  apiVersion: z.literal(API_VERSION),
  partition: name,
  installation: z.uuid(),
  /** Over all the rest: what was reviewed is what is carried out. */
  digest: z.string(),
  basis: z.record(name, z.string()),
  entries: z.array(entry),
  operations: z.array(operation),
});

export function writeSavedPlan({ plan, basis }: SavedPlan): string {
  const { partition, installation, entries, operations } = plan;
  const content = {
    partition,
    installation,
    basis: Object.fromEntries(basis),
    entries,
    operations,
  };
  const document = { apiVersion: API_VERSION, digest: digestOf(content), ...content };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Against mistakes, not against an attacker, who could compute it as well. */
function digestOf(content: object): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}

/** @throws CommandError `validation` if this is not a plan that unnest has written */
export function readSavedPlan(text: string, path: string, partition: PartitionName): SavedPlan {
  const json = parseJson(text, path);
  const parsed = savedPlan.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const place = issue === undefined ? '' : ` (at ${issue.path.join('.')}: ${issue.message})`;
    throw new CommandError(exitCodes.validation, `${path} is not a saved plan${place}`);
  }
  checkDigest(json, path);
  checkAgreement(parsed.data, path);
  const { basis, digest: _, apiVersion: __, ...plan } = parsed.data;
  if (plan.partition !== partition) {
    const message = `${path} is a plan for partition ${plan.partition}, not ${partition}`;
    throw new CommandError(exitCodes.usage, message, { remedy: `say -p ${plan.partition}` });
  }
  return {
    // The patterns behind the brands have been checked.
    plan: plan as unknown as Plan,
    basis: new Map(Object.entries(basis)) as unknown as ReadonlyMap<SecondaryName, string>,
  };
}

/** What a person reviews are the entries, what is carried out are the operations. */
function checkAgreement(data: z.output<typeof savedPlan>, path: string): void {
  const shown = data.entries.flatMap((each) => ('operations' in each ? each.operations : []));
  const done = data.operations.filter(({ secondary }) => secondary !== null).map(({ id }) => id);
  const same = JSON.stringify(shown.toSorted()) === JSON.stringify(done.toSorted());
  const known = data.operations.every(
    ({ secondary }) => secondary === null || Object.hasOwn(data.basis, secondary),
  );
  if (same && known) return;
  const message = `${path} is not a saved plan (it does what it does not show)`;
  throw new CommandError(exitCodes.validation, message);
}

/** Of the JSON as it stands in the file, since the order of its keys counts. */
function checkDigest(json: unknown, path: string): void {
  // The schema has found an object with these keys.
  const { digest, apiVersion: _, ...content } = json as z.output<typeof savedPlan>;
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
