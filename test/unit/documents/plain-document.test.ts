/** Documents as plain data: the same checks, and places that know only the file. */
import { describe, expect, test } from 'vitest';
import { bundleOfValues } from '../../../src/documents/bundle.ts';
import { documentLimits } from '../../../src/documents/limits.ts';
import type { PlainDocument } from '../../../src/documents/plain-document.ts';
import type { PartitionName } from '../../../src/model/names.ts';

const partition = 'team-a' as PartitionName;

function web(spec: object = {}, metadata: object = {}) {
  return {
    apiVersion: 'unnest.dev/v1',
    kind: 'Secondary',
    metadata: { name: 'web', ...metadata },
    spec: { vcpus: 1, memory: '128MiB', boot: { kernel: { file: 'vmlinuz' } }, ...spec },
  };
}

function problems(...values: readonly unknown[]): string[] {
  const documents = values.map((value, i): PlainDocument => ({ file: `${i}.yaml`, value }));
  const parsed = bundleOfValues(documents, partition);
  if (parsed.ok) return [];
  return parsed.diagnostics.map(({ code, file, line, column, path }) =>
    `${code} ${file} ${line}:${column} ${path}`.trimEnd(),
  );
}

test('a valid one is a bundle', () => {
  const parsed = bundleOfValues([{ file: 'a.yaml', value: web() }], partition);
  expect(parsed.ok && [...parsed.bundle.secondaries.values()]).toMatchObject([
    { name: 'web', memoryBytes: 2 ** 27 },
  ]);
});

describe('what is wrong is said with its file', () => {
  test.each([
    ['a field', [web({ vcpus: 0 })], ['InvalidValue 0.yaml 0:0 spec.vcpus']],
    ['an unknown field', [web({ vcpu: 1 })], ['UnknownField 0.yaml 0:0 spec.vcpu']],
    ['two of one name', [web(), web()], ['DuplicateName 1.yaml 0:0 metadata.name']],
    ['a reference', [web({ disks: [{ volume: 'x' }] })], ['UnknownReference 0.yaml 0:0 spec.disks[0].volume']],
    ['nothing', [null], ['NotADocument 0.yaml 0:0']],
    ['not even nothing', [undefined], ['InvalidValue 0.yaml 0:0']],
    ['a list', [[web()]], ['NotADocument 0.yaml 0:0']],
    ['infinity', [web({ vcpus: Infinity })], ['InvalidValue 0.yaml 0:0 spec.vcpus']],
    ['a bigint', [web({ vcpus: 1n })], ['InvalidValue 0.yaml 0:0 spec.vcpus']],
    ['a date', [web({ memory: new Date(0) })], ['InvalidValue 0.yaml 0:0 spec.memory']],
    ['a map', [web({}, { labels: new Map() })], ['InvalidValue 0.yaml 0:0 metadata.labels']],
    ['a prototype', [JSON.parse('{"__proto__": {"kind": "Secondary"}}')], ['UnknownField 0.yaml 0:0 __proto__']],
    [
      'a prototype as label',
      [web({}, { labels: JSON.parse('{"__proto__": "x"}') })],
      ['UnknownField 0.yaml 0:0 metadata.labels.__proto__'],
    ],
  ])('%s', (_what, values, expected) => {
    expect(problems(...values)).toEqual(expected);
  }); // prettier-ignore

  test('two of one name, in words', () => {
    const documents = ['a.yaml', 'b.yaml'].map((file) => ({ file, value: web() }));
    expect(bundleOfValues(documents, partition)).toMatchObject({
      diagnostics: [{ message: 'there is another Secondary named "web", in a.yaml' }],
    });
  });

  test('nesting, without recursion', () => {
    let deep: unknown = 'x';
    for (let i = 0; i < 100_000; i++) deep = [deep];
    expect(problems(web({ disks: deep }))).toEqual(['TooDeep 0.yaml 0:0']);
  });

  test('no more than anybody reads', () => {
    expect(problems(...Array.from({ length: 1000 }, () => null))).toHaveLength(
      documentLimits.diagnosticsMax,
    );
  });
});

test('a key of every object is a label like any other', () => {
  const labels = { constructor: 'a', toString: 'b', hasOwnProperty: 'c' };
  const parsed = bundleOfValues([{ file: 'a.yaml', value: web({}, { labels }) }], partition);
  const [secondary] = parsed.ok ? parsed.bundle.secondaries.values() : [];
  expect(secondary?.labels).toEqual(new Map(Object.entries(labels)));
});
