/** What one small document may not become: labels as large as a book, times a thousand replicas. */
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { desiredFrom } from '../../../src/documents/desired-state.ts';
import type { PlainDocument } from '../../../src/documents/plain-document.ts';
import { bundleOf, diagnosticsOf, placesOf, secondaryDocument } from './parsing.ts';

type Texts = Readonly<Record<string, string>>;

function labelled(name: string, labels: Texts, more: readonly string[] = [], annotations = {}) {
  const metadata = JSON.stringify({ name, labels, annotations });
  return secondaryDocument(name, ...more).replace(
    `metadata:\n  name: ${name}\n`,
    `metadata: ${metadata}\n`,
  );
}

const many = (count: number, value = 'x', prefix = 'key-'): Texts =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`${prefix}${index}`, value]));

describe('labels and annotations of one document', () => {
  test('are at most 64 each', () => {
    expect(placesOf([labelled('web', many(64), [], many(64))])).toEqual([]);
    expect(placesOf([labelled('web', many(65))])).toEqual(['InvalidValue 4:25 metadata.labels']);
    expect(placesOf([labelled('web', {}, [], many(65))])).toEqual([
      'InvalidValue 4:37 metadata.annotations',
    ]);
  });

  test.each([
    ['a'.repeat(63), 'x', true],
    ['a'.repeat(64), 'x', false],
    [`${'p'.repeat(253)}/${'a'.repeat(63)}`, 'x', true],
    [`${'p'.repeat(254)}/a`, 'x', false],
    ['a/b/c', 'x', false],
    ['a', 'v'.repeat(63), true],
    ['a', 'v'.repeat(64), false],
  ])('%s: %s', (key, value, valid) => {
    expect(diagnosticsOf([labelled('web', { [key]: value })]).map(({ code }) => code)).toEqual(
      valid ? [] : ['InvalidValue'],
    );
  });

  test('are at most 16 KiB together', () => {
    const prefix = `${'p'.repeat(190)}/k`;
    const half = many(32, 'v'.repeat(60), prefix);
    expect(placesOf([labelled('web', half, [], half)])).toEqual([]);
    const [problem, ...others] = diagnosticsOf([
      labelled('web', many(64, 'v'.repeat(60), prefix), [], half),
    ]);
    expect(problem).toMatchObject({ code: 'InvalidValue', path: 'metadata' });
    expect(problem?.message).toContain('at most 16384 characters of labels and annotations');
    expect(others).toEqual([]);
  });
});

describe('labels times replicas', () => {
  const large = many(60, 'v'.repeat(63), `${'p'.repeat(120)}/k`);

  test('are at most 8 MiB in all', () => {
    expect(bundleOf([labelled('web', large, ['replicas: 700'])]).secondaries.size).toBe(700);
    const texts = ['a', 'b'].map((name) => labelled(name, large, ['replicas: 700']));
    expect(diagnosticsOf(texts)).toMatchObject([
      { code: 'TooLarge', file: '1.yaml', path: 'metadata.labels' },
    ]);
  });

  test('are counted as they are written down: one letter can be six', () => {
    const accents = many(60, 'é'.repeat(63), `${'p'.repeat(120)}/k`);
    expect(diagnosticsOf([labelled('web', accents, ['replicas: 700'])])).toMatchObject([
      { code: 'TooLarge' },
    ]);
  });

  test('are bounded as well where a worker has read the documents', () => {
    const value: unknown = parse(labelled('web', large, ['replicas: 1000']).slice(4));
    const partition = { apiVersion: 'unnest.dev/v1', kind: 'Partition', metadata: { name: 'a' } };
    const operators: PlainDocument = { file: 'p.yaml', value: { ...partition, spec: {} } };
    expect(desiredFrom(operators, [{ file: 'a.yaml', value }])).toMatchObject({
      ok: false,
      diagnostics: [{ code: 'TooLarge' }],
    });
  });

  test('annotations are not copied, so that they count once', () => {
    const text = labelled('web', {}, ['replicas: 1000'], large);
    expect(placesOf([text])).toEqual([]);
  });
});
