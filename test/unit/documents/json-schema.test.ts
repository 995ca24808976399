/** The JSON Schemas of `schemas/`: current, and of one mind with the schemas that they come from. */
import { readdirSync, readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { DomainFields } from '../../../src/model/domain.ts';
import { fieldRules } from '../../../src/diff/fields.ts';
import { fieldsOfKind } from '../../../src/documents/fields.ts';
import { schemaFiles } from '../../../src/documents/schema-files.ts';
import { type Kind, kinds, schemas } from '../../../src/documents/schema.ts';
import { validDocuments } from './valid-documents.ts';

const root = new URL('../../../', import.meta.url);
const stored = new URL('schemas/', root);

const read = (name: string) =>
  JSON.parse(readFileSync(new URL(name, stored), 'utf8')) as Record<string, unknown>;
// Strict, but for what editors are told beside the rules.
const compile = (name: string) => new Ajv({ strict: true, strictTypes: false }).compile(read(name));
const ofKind = Object.fromEntries(kinds.map((kind) => [kind, compile(`${kind}.json`)]));
const ofAll = compile('unnest.json');

function errorsOf(check: ReturnType<typeof compile> | undefined, document: unknown) {
  return check?.(document) ? [] : check?.errors;
}

test('schemas/ is what `npm run schemas` writes', () => {
  const files = schemaFiles();
  for (const [name, text] of files) expect(readFileSync(new URL(name, stored), 'utf8')).toBe(text);
});

test('every field has words, and every word is a sentence', () => {
  for (const kind of kinds) {
    for (const { path, description } of fieldsOfKind(kind)) {
      expect(`${kind} ${path}: ${description}`).toMatch(/: [A-Z].*\.$/);
    }
  }
});

test('what a change costs a running guest is said as it is', () => {
  const said = new Map(fieldsOfKind('Secondary').map(({ path, change }) => [path, change]));
  const impacts = new Map<string, string>();
  // Who is in a slice, the Partition says; a vsock device comes with a readiness.
  const { slice: _, vsock: __, ...rules } = fieldRules;
  for (const { path, running } of Object.values(rules)) {
    const sample = { memoryBytes: 1, memoryMaxBytes: 1, volumes: 'a:raw' } as DomainFields;
    const impact = running(sample, { ...sample, volumes: 'b:raw' }, 0);
    if (impact !== 'unnoticed' || !impacts.has(path)) impacts.set(path, impact);
  }
  for (const [path, impact] of impacts) {
    const words = impact === 'unnoticed' ? /^(live|none|starts)/ : new RegExp(`^${impact}`);
    expect(said.get(path)).toMatch(words);
  }
});

describe('valid documents', () => {
  test.each(validDocuments)('$kind is accepted by all', (document) => {
    expect(schemas[document.kind].safeParse(document).error).toBeUndefined();
    expect(errorsOf(ofKind[document.kind], document)).toEqual([]);
    expect(ofAll(document)).toBe(true);
  });
});

type Json = Record<string, unknown>;
const [secondary, partition, volume, image] = validDocuments as unknown as Json[];

/** The document with one part replaced; `undefined` takes it away. */
function having(document: Json | undefined, path: string, value: unknown): Json {
  const copy = structuredClone(document ?? {});
  const steps = path.split('.');
  let at = copy;
  for (const step of steps.slice(0, -1)) at = at[step] as Json;
  const last = steps.at(-1) ?? '';
  if (value === undefined) delete at[last];
  else at[last] = value;
  return copy;
}

const bad: readonly (readonly [string, Json])[] = [
  ['no spec', having(secondary, 'spec', undefined)],
  ['another version', having(secondary, 'apiVersion', 'unnest.dev/v2')],
  ['no name', having(secondary, 'metadata.name', undefined)],
  ['an upper-case name', having(secondary, 'metadata.name', 'Web')],
  ['a name that is too long', having(secondary, 'metadata.name', 'a'.repeat(33))],
  ['a number as label', having(secondary, 'metadata.labels', { a: 1 })],
  ['a label key with a blank', having(secondary, 'metadata.labels', { 'a b': 'x' })],
  ['an unknown field', having(secondary, 'spec.cpus', 1)],
  ['no memory', having(secondary, 'spec.memory', undefined)],
  ['memory as a number', having(secondary, 'spec.memory', 512)],
  ['memory in MB', having(secondary, 'spec.memory', '512MB')],
  ['no vCPU', having(secondary, 'spec.vcpus', 0)],
  ['half a vCPU', having(secondary, 'spec.vcpus', 0.5)],
  ['too many vCPUs', having(secondary, 'spec.vcpus', 289)],
  ['no replicas', having(secondary, 'spec.replicas', 0)],
  ['too many replicas', having(secondary, 'spec.replicas', 1001)],
  ['nothing to boot', having(secondary, 'spec.boot', {})],
  ['two things to boot', having(secondary, 'spec.boot.disk', { file: 'a', format: 'raw' })],
  ['a path', having(secondary, 'spec.boot.kernel.file', '../vmlinuz')],
  ['two lines', having(secondary, 'spec.boot.kernel.commandLine', 'a\nb')],
  ['another placeholder', having(secondary, 'spec.boot.kernel.commandLine', '$(reboot)')],
  ['a word for true', having(secondary, 'spec.protect', 'yes')],
  ['another run policy', having(secondary, 'spec.runPolicy', 'always')],
  ['a text for a list', having(secondary, 'spec.startAfter', 'db')],
  ['a name twice', having(secondary, 'spec.startAfter', ['db', 'db'])],
  ['a guest that takes for ever', having(secondary, 'spec.terminationGracePeriodSeconds', 3601)],
  ['limits without memory', having(partition, 'spec.limits.memory', undefined)],
  ['no subnet', having(partition, 'spec.network.cidr', undefined)],
  ['a subnet in words', having(partition, 'spec.network.cidr', 'ten')],
  ['an interface with a slash', having(partition, 'spec.network.uplink', 'a/b')],
  ['a device that nobody knows', having(partition, 'spec.policy.devices', ['vga'])],
  ['CPUs in words', having(partition, 'spec.guarantees.cpuset', 'all')],
  ['no size', having(volume, 'spec.size', undefined)],
  ['a short digest', having(image, 'spec.digest', 'sha256:00')],
  ['two sources', having(image, 'spec.source', { file: 'a', catalogue: 'b' })],
  ['a path with links up', having(image, 'spec.source', { imageDisk: { path: '../a', bytes: 1 } })],
  ['an image disk without a size', having(partition, 'spec.primary.imageDisk', {})],
  ['no source', having(image, 'spec.source', {})],
];

test.each(bad)('%s is refused by all', (_what, document) => {
  const kind = document['kind'] as Kind;
  expect(schemas[kind].safeParse(document).success).toBe(false);
  expect(ofKind[kind]?.(document)).toBe(false);
  expect(ofAll(document)).toBe(false);
});

test('another kind is refused by the schema of all', () => {
  expect(ofAll({ ...secondary, kind: 'Pod' })).toBe(false);
  expect(ofAll({ ...secondary, kind: undefined })).toBe(false);
});

const beyond: readonly (readonly [string, Json])[] = [
  ['too little memory', having(secondary, 'spec.memory', '1MiB')],
  ['a subnet of one host', having(partition, 'spec.network.cidr', '10.0.0.1/24')],
  ['CPUs backwards', having(partition, 'spec.guarantees.cpuset', '7-4')],
  ['an uplink that is not used', having(partition, 'spec.network.mode', 'isolated')],
];

test.each(beyond)('%s is refused by zod alone', (_what, document) => {
  const kind = document['kind'] as Kind;
  expect(schemas[kind].safeParse(document).success).toBe(false);
  expect(ofKind[kind]?.(document)).toBe(true);
});

test('nothing that unnest accepts is refused', () => {
  const changes = validDocuments.flatMap((document) =>
    fieldsOfKind(document.kind)
      .filter(({ path }) => path !== '' && !path.includes('boot.disk'))
      .map(({ path }) => [document as unknown as Json, path] as const),
  );
  const anything = fc.oneof(
    fc.jsonValue(),
    fc.string(),
    fc.nat(400),
    fc.constantFrom('1GiB', 'raw', 'a-b', true, [], ['a'], {}, null, undefined, '10.0.0.0/16'),
  );
  const accepted = { count: 0 };
  fc.assert(
    fc.property(fc.constantFrom(...changes), anything, ([document, path], value) => {
      let changed: Json;
      try {
        changed = having(document, path, value);
      } catch {
        return;
      }
      if (!schemas[document['kind'] as Kind].safeParse(changed).success) return;
      accepted.count += 1;
      expect(ofAll(changed)).toBe(true);
    }),
    { numRuns: 2000 },
  );
  expect(accepted.count).toBeGreaterThan(20);
});

describe('every document of examples/', () => {
  const examples = readdirSync(new URL('examples/', root), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.ya?ml$/.test(file))
    .map((file) => [file, readFileSync(new URL(`examples/${file}`, root), 'utf8')] as const)
    .filter(([, text]) => /^apiVersion: unnest\.dev\/v1/m.test(text) && !text.includes('$patch'));

  test.each(examples)('%s begins with the place of its schema, and is accepted', (file, text) => {
    const up = '../'.repeat(file.split('/').length);
    expect(text.split('\n')[0]).toBe(`# yaml-language-server: $schema=${up}schemas/unnest.json`);
    for (const document of parseAllDocuments(text)) {
      const value = (document as { toJS(): unknown }).toJS();
      expect(errorsOf(ofAll, value)).toEqual([]);
    }
  });
});
