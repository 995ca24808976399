/** Whatever anybody writes: it is read as it stands or refused with a place, and never thrown at. */
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { stringify } from 'yaml';
import { type Bundle, bundleOfValues, parseBundle } from '../../src/documents/bundle.ts';
import { chunksOf } from '../../src/documents/chunks.ts';
import { effectiveDocuments, type Part } from '../../src/documents/effective.ts';
import { fieldsOfKind } from '../../src/documents/fields.ts';
import { type FullDocument, readFullYaml } from '../../src/documents/full-yaml.ts';
import { documentLimits } from '../../src/documents/limits.ts';
import { readPlainYaml } from '../../src/documents/plain-yaml.ts';
import { filesOf, usesOf } from '../../src/model/secondary.ts';
import { secondaryDocument } from '../unit/documents/parsing.ts';
import { validDocuments } from '../unit/documents/valid-documents.ts';

// Two processors, and other tests beside these.
vi.setConfig({ testTimeout: 60_000 });

const hostile = fc.oneof(
  fc.constantFrom(
    '../../etc/shadow', '/etc/shadow', '..', '.', 'a/b', 'a\\b', '"', "'", '`id`', '$(id)', '$(name)', '${HOME}',
    '; reboot', '| sh', '&& x', '--yes', '-f', '%s%n%x', '{0}', '<domain/>', ']]>', '<!-- -->', '&lt;', '&amp;',
    '\0', '\n', '\r\n', '\t', '\u001b[31m', '\u009b31m', '\u202e', '\u2028', '\ufeff', '\ud800', '\u0130', 'ﬁ',
    '__proto__', 'constructor', 'toString', 'null', 'true', '1e3', '0x10', '~', '*a', '&a', '!!js/function', '%YAML', '---', '...', 'a'.repeat(5000),
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.tuple(fc.constantFrom('web', 'vmlinuz', '1GiB'), fc.string({ maxLength: 3 })).map(([a, b]) => a + b),
); // prettier-ignore

type Json = Record<string, unknown>;

/** Through a worker and back: what the documents mean is what their values mean. */
function expectToSurviveJson(bundle: Bundle): void {
  const plain = bundle.documents.map(({ source }) => ({ file: 'a', value: source.value }));
  const again = bundleOfValues(JSON.parse(JSON.stringify(plain)) as typeof plain, null);
  if (!again.ok) throw new Error(JSON.stringify(again.diagnostics));
  const { documents, notYet, ...desired } = bundle;
  const { documents: documentsAgain, notYet: notYetAgain, ...desiredAgain } = again.bundle;
  expect(desiredAgain).toEqual(desired);
  const read = (placed: Bundle['documents']) => placed.map(({ document }) => document);
  expect(read(documentsAgain)).toEqual(read(documents));
  // In another order, for want of lines.
  const paths = (diagnostics: Bundle['notYet']) => diagnostics.map(({ path }) => path).sort();
  expect(paths(notYetAgain)).toEqual(paths(notYet));
}

/** Every place where a text may stand, in every kind. */
const textPlaces = validDocuments.map(withoutReplicas).flatMap((document) =>
  fieldsOfKind(document.kind)
    .filter(({ path }) => typeof valueAt(document, path) === 'string')
    .map(({ path }) => [document as unknown as Json, path] as const),
);

/** Its name is then the name of the one that it is. */
function withoutReplicas<D extends { readonly spec: object }>(document: D): D {
  const { replicas: _replicas, ...spec } = document.spec as Json;
  return { ...document, spec };
}

function valueAt(document: unknown, path: string): unknown {
  return path.split('.').reduce((at, step) => (at as Json | undefined)?.[step], document);
}

function having(document: Json, path: string, value: unknown): Json {
  const copy = structuredClone(document);
  const steps = path.split('.');
  const last = steps.pop() ?? '';
  ((valueAt(copy, steps.join('.')) as Json | undefined) ?? copy)[last] = value;
  return copy;
}

function plainValue(parts: readonly Part[]): Json {
  return Object.fromEntries(
    parts.map((part) => [part.name, part.kind === 'value' ? part.value : plainValue(part.parts)]),
  );
}

const others = secondaryDocument('db') + `---\n${JSON.stringify(validDocuments[3])}\n`;

describe('a hostile text in any text field', () => {
  test('there are such fields', () => {
    expect(textPlaces.map(([, path]) => path)).toContain('spec.boot.kernel.commandLine');
    expect(textPlaces.length).toBeGreaterThan(30);
  });

  test('is refused, or survives as itself', () => {
    const survived = new Set<string>();
    fc.assert(
      fc.property(fc.constantFrom(...textPlaces), hostile, fc.boolean(), (place, text, asJson) => {
        const [document, path] = place;
        const changed = having(document, path, text);
        const written = asJson ? JSON.stringify(changed) : stringify(changed);
        const parsed = parseBundle([{ path: 'a', text: `${others}---\n${written}` }], null);
        if (!parsed.ok) return;
        survived.add(path);
        const last = plainValue(effectiveDocuments(parsed.bundle, true).at(-1) ?? []);
        const isTemplate = path === 'spec.boot.kernel.commandLine';
        const expected = isTemplate ? text.replaceAll('$(name)', 'web') : text;
        expect(valueAt(last, path)).toBe(expected);
        expectTame(parsed.bundle);
        expectToSurviveJson(parsed.bundle);
      }),
      { numRuns: 1000 },
    );
    expect(survived.size).toBeGreaterThan(1);
  });

  test('as a label or its key is refused, or survives as itself', () => {
    fc.assert(
      fc.property(hostile, hostile, (key, text) => {
        const labels = Object.fromEntries([[key, text]]);
        const [secondary] = validDocuments as unknown as Json[];
        const document = having(secondary ?? {}, 'metadata.labels', labels);
        const text1 = `${others}---\n${JSON.stringify(document)}`;
        const parsed = parseBundle([{ path: 'a.yaml', text: text1 }], null);
        if (!parsed.ok) return;
        const web = [...parsed.bundle.secondaries.values()].at(-1);
        expect(web?.labels).toEqual(new Map([[key, text]]));
        expectToSurviveJson(parsed.bundle);
      }),
      { numRuns: 500 },
    );
  });
});

/** What goes further than a document: into libvirt names, files and command lines. */
function expectTame({ secondaries, volumes, images }: Bundle): void {
  for (const name of [...secondaries.keys(), ...volumes.keys(), ...images.keys()]) {
    expect(name).toMatch(/^[a-z][a-z0-9-]{0,31}$/);
  }
  for (const { source } of images.values()) {
    expect('file' in source ? source.file : 'none').toMatch(/^[A-Za-z0-9][A-Za-z0-9._+-]*$/);
  }
  for (const { boot, disks } of secondaries.values()) {
    for (const { volume } of usesOf({ boot, disks })) expect(volumes.has(volume)).toBe(true);
    for (const file of filesOf(boot)) expect(file).toMatch(/^[A-Za-z0-9][A-Za-z0-9._+-]*$/);
    expect(boot.kind === 'kernel' ? boot.commandLine : '').toMatch(/^[ -~]*$/);
  }
}

// Pieces of which documents and their accidents are made.
const piece = fc.oneof(
  fc.constantFrom(
    'apiVersion: unnest.dev/v1\n', 'kind: Secondary\n', 'kind: Volume\n', 'metadata:\n', '  name: web\n', 'spec:\n', '  vcpus: 1\n',
    '  memory: 128MiB\n', '  boot:\n', '    kernel:\n', '      file: vmlinuz\n', '  startAfter: [web]\n', '  replicas: 3\n', '---\n', '...\n', '--- |\n', '--- # x\n',
    '- ', '? ', ': ', ', ', '[', ']', '{', '}', '"', "'", '|\n', '>-\n', '&a ', '*a ', '!x ', '!!binary ', '%YAML 1.2\n', '# x\n', ' # x\n', '<<: ', '\n', ' ', '  ', '\t',
    '\r\n', '\ufeff', '\0', 'a: b\n', 'true: x\n', 'null: x\n', '1: x\n', 'a: True\n', 'a: 0o7\n', 'a: 1e3\n', 'a: 007\n', 'a: .inf\n', 'a: ~\n', 'a:\n', 'a: 2001-01-01\n', 'x y: z\n', 'a:b\n', 'a: b: c\n', 'a: b \n', 'a:  b  c\n',
    '__proto__: {}\n', '\u2028', '\u0085', 'é',
  ),
  fc.string({ maxLength: 4 }),
  fc.integer({ min: 0, max: 6 }).map((n) => ' '.repeat(n)),
); // prettier-ignore
const anyText = fc.array(piece, { maxLength: 24 }).map((pieces) => pieces.join(''));

/** A valid bundle that somebody has cut, or put something into. */
const whole =
  validDocuments.map((each) => `---\n${stringify(each)}`).join('') + secondaryDocument('db');
const damaged = fc
  .tuple(fc.nat(whole.length), fc.nat(40), piece)
  .map(([at, cut, into]) => whole.slice(0, at) + into + whole.slice(at + cut));

function expectPlacesInside(text: string): void {
  const parsed = parseBundle([{ path: 'a.yaml', text }], null);
  const rows = text.split('\n');
  for (const { file, line, column, code, message, excerpt } of parsed.ok
    ? []
    : parsed.diagnostics) {
    expect([file, code.length > 0, message.length > 0]).toEqual(['a.yaml', true, true]);
    expect(line).toBeGreaterThan(0);
    expect(line).toBeLessThanOrEqual(rows.length);
    expect(column).toBeGreaterThan(0);
    // The end of a line is a place, and so is the line feed that ends it.
    expect(column).toBeLessThanOrEqual((rows[line - 1] ?? '').length + 1);
    // None where a secret may be.
    expect([null, (rows[line - 1] ?? '').replace(/\r$/, '')]).toContain(excerpt);
  }
  expect(parsed.ok || parsed.diagnostics.length > 0).toBe(true);
  if (parsed.ok) expectToSurviveJson(parsed.bundle);
}

describe('any text', () => {
  test.each([
    ['of pieces', anyText],
    ['of any characters', fc.string({ unit: 'binary', maxLength: 200 })],
    ['that was a bundle once', damaged],
  ])('%s: nothing is thrown, and each mistake has a place in it', (_what, texts) => {
    fc.assert(fc.property(texts, expectPlacesInside), { numRuns: 1000 });
  });

  test('a bundle cut off anywhere is refused, or holds only what was in it', () => {
    const names = new Set(['web-0', 'web-1', 'db']);
    for (let at = 0; at < whole.length; at += 3) {
      const text = whole.slice(0, at);
      expectPlacesInside(text);
      const parsed = parseBundle([{ path: 'a.yaml', text }], null);
      const found = parsed.ok ? [...parsed.bundle.secondaries.keys()] : [];
      expect(found.filter((name) => !names.has(name) && name !== 'd')).toEqual([]);
    }
  });
});

describe('the short way through YAML', () => {
  const plainish = fc
    .array(
      fc
        .tuple(
          fc.nat(4),
          fc.constantFrom('a', 'b', 'kind', 'true', 'No', 'x/y', 'a.b-c', '1', ''),
          fc.constantFrom(':', ': ', ':  ', ''),
          fc.oneof(
            fc.constantFrom('', '', 'b', 'true', 'True', 'null', 'NULL', '~', '0', '01', '12', '1.5', '1e3', '0x1', '1GiB', 'b c', 'b  c', 'b: c', 'b # c', 'b#c', '# c', 'b ', '"b"', '-1', '- b', 'b,c', '$(name)', 'y', 'off', '1_000', '123456789012345678', '.5', '1.', '12:30', '2001-01-01', 'b\t', '[a]', '[]', '{}', '{a: b}', '[a, b]', '[a b, 1]', '[a,]', '[ a ]', '{ a: b, c: d }', '{a: b,}', '{a:b}', '{a}', '[a: b]', '{ a: }', '{ a: b: c }', '[a}', '{ a: 1, a: 2 }', '[null]', '[-a]', '[a]b', '[a] b', '{ a: b } # c', '[a ,b]', '{ a : b }', '{ true: b }', '|', '&a b', '*a', '!t b', '@a', '%a', '999999999999999', 'Infinity', 'NaN', '0o7', 'é', '\u2028'),
            fc.string({ maxLength: 6 }),
          ),
          fc.constantFrom('\n', '\n', '\n', '\r\n', '\n\n', '', '\n# x\n', ' # x\n'),
        )
        .map(([indent, ...rest]) => ' '.repeat(indent) + rest.join('')),
      { maxLength: 7 },
    )
    .chain((lines) => fc.constantFrom('', '---\n', '# x\n', '--- \n').map((head) => head + lines.join(''))); // prettier-ignore

  const plain = `---
# A Secondary
apiVersion: unnest.dev/v1
metadata:
    labels:
        app: shop # of it
        x/y: 12

    name: web
spec:
  memory: 1GiB
  protect: true
  boot:
   kernel:
    commandLine: console=ttyS0 quiet a.b=$(name)
    file: { a: b, c/d: 12, e:  x y } # z
  startAfter: [a, b-0,true,  c d]
  none: []
`;
  const nearlyPlain = fc
    .tuple(fc.nat(plain.length), fc.nat(8), piece)
    .map(([at, cut, into]) => plain.slice(0, at) + into + plain.slice(at + cut));

  test('says what the long way says, or nothing', () => {
    let answered = 0;
    fc.assert(
      fc.property(fc.oneof(plainish, nearlyPlain, anyText), (text) => {
        const short = readPlainYaml(text);
        if (short === undefined) return;
        answered += short === null ? 0 : 1;
        const documents = readFullYaml(text);
        expect(documents.length).toBeLessThanOrEqual(1);
        expect(documents[0]?.ok ?? true).toBe(true);
        expect(short).toEqual(documents[0]?.ok ? documents[0].value : null);
      }),
      { numRuns: 5000 },
    );
    expect(answered).toBeGreaterThan(200);
  });

  test('cutting a file at its `---` changes no document', () => {
    fc.assert(
      fc.property(
        fc.array(anyText, { maxLength: 4 }).map((each) => each.join('---\n')),
        (text) => {
          const whole = readFullYaml(text);
          if (whole.some(({ ok }) => !ok)) return;
          const chunks = chunksOf(text);
          expect(chunks.map((chunk) => chunk.text).join('')).toBe(text);
          for (const { text: chunk, offset } of chunks) {
            expect(text.slice(offset, offset + chunk.length)).toBe(chunk);
          }
          const cut = chunks.flatMap((chunk) => readFullYaml(chunk.text));
          expect(valuesOf(cut)).toEqual(valuesOf(whole));
        },
      ),
      { numRuns: 2000 },
    );
  });
});

function valuesOf(documents: readonly FullDocument[]): unknown[] {
  return documents
    .map((each) => (each.ok ? each.value : 'refused'))
    .filter((each) => each !== null);
}

describe('a text that is long and bad costs no more than its length', () => {
  const bytes = 2 ** 19;
  const fill = (piece: string) => piece.repeat(bytes / piece.length);
  const numbered = (line: (index: number) => string) =>
    Array.from({ length: bytes / line(9999).length }, (_, index) => line(index)).join('');
  const head = 'apiVersion: unnest.dev/v1\nkind: Secondary\nmetadata:\n  name: web\n';

  test.each([
    ['brackets', fill('['), 'TooDeep'],
    ['lists in lists', fill('- '), 'TooDeep'],
    ['keys', numbered((i) => `"k${i}": 1\n`), 'UnknownApiVersion'],
    ['the same key', fill('a: 1\n'), 'DuplicateKey'],
    ['unknown fields', head + numbered((i) => `k${i}: 1\n`), 'MissingField'],
    ['bad labels', `${head}  labels:\n${numbered((i) => `    "k ${i}": x\n`)}`, 'InvalidValue'],
    ['aliases', `- &a x\n${fill('- *a\n')}`, 'TooManyAliases'],
    [
      'aliases of aliases',
      `a0: &a0 [x]\n${numbered((i) => `a${i + 1}: &a${i + 1} [*a${i}]\n`)}`,
      'TooManyAliases',
    ],
    ['blanks', `a: b${fill(' ')}!`, 'UnknownApiVersion'],
    ['a long name', head.replace('web', fill('w')), 'InvalidValue'],
    ['a long key', `${head}${fill('k')}: 1\n`, 'InvalidYaml'],
    ['markers', fill('---\n'), 'TooLarge'],
    ['a long line', `kind: ${fill('k')}`, 'UnknownApiVersion'],
    [
      'one long document',
      `${head}#${'x'.repeat(documentLimits.documentBytesMax)}\nspec: {}`,
      'TooLarge',
    ],
  ])(
    '%s',
    (_what, text, code) => {
      const parsed = parseBundle([{ path: 'a.yaml', text }], null);
      const codes = parsed.ok ? [] : parsed.diagnostics.map((each) => each.code);
      expect(codes).toContain(code);
      expect(codes.length).toBeLessThanOrEqual(documentLimits.diagnosticsMax);
    },
    10_000,
  );
});
