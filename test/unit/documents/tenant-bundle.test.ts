/** Which document is whose: the Partition is the operator's, all others are a tenant's. */
import { describe, expect, test } from 'vitest';
import { desiredFrom, parseDocuments } from '../../../src/documents/desired-state.ts';
import type { PlainDocument } from '../../../src/documents/plain-document.ts';
import { tenantBundle, tenantDocuments } from '../../../src/documents/tenant-bundle.ts';
import type { PartitionName } from '../../../src/model/names.ts';
import { documentOf, secondaryDocument } from './parsing.ts';

const partition = 'team-a' as PartitionName;

function partitionOf(spec: object = {}, name = 'team-a'): PlainDocument {
  const value = { apiVersion: 'unnest.dev/v1', kind: 'Partition', metadata: { name }, spec };
  return { file: 'partitions/team-a.yaml', value };
}

function parsed(text: string, operators: PlainDocument | null = null) {
  return tenantBundle([{ path: 'a.yaml', text }], partition, operators);
}

function problemsOf(result: { ok: true } | { ok: false; diagnostics: readonly object[] }) {
  return result.ok ? [] : result.diagnostics;
}

const networked = secondaryDocument('web', 'network: Partition');
const network = { network: { cidr: '10.20.0.0/24' } };

describe('a tenant', () => {
  test('may not describe the partition, not even rightly', () => {
    for (const spec of ['source: Apply', 'limits: none']) {
      const text = secondaryDocument('web') + documentOf('Partition', 'team-a', [spec]);
      expect(problemsOf(parsed(text, partitionOf()))).toMatchObject([
        { code: 'OperatorsOnly', path: 'kind', file: 'a.yaml', line: 12 },
      ]);
    }
  });

  test('is told of that beside all other mistakes', () => {
    const text = documentOf('Partition', 'x', []) + secondaryDocument('web', 'cpus: 1');
    expect(problemsOf(parsed(text)).map((each) => 'code' in each && each.code)).toEqual([
      'OperatorsOnly',
      'UnknownField',
    ]);
  });

  test('is judged beside what the operator says, where that is known', () => {
    expect(problemsOf(parsed(networked))).toEqual([]);
    expect(problemsOf(parsed(networked, partitionOf(network)))).toEqual([]);
    expect(problemsOf(parsed(networked, partitionOf()))).toMatchObject([
      { code: 'UnknownReference', path: 'spec.network', file: 'a.yaml', line: 10 },
    ]);
  });

  test('is not blamed for what the operator got wrong', () => {
    const wrong = partitionOf({ network: { cidr: 'x' } });
    expect(problemsOf(parsed(secondaryDocument('web', 'cpus: 1'), wrong))).toMatchObject([
      { code: 'InvalidValue', file: 'partitions/team-a.yaml' },
    ]);
  });
});

describe('what is to be made real', () => {
  const values = (text: string) => {
    const bundle = parsed(text);
    if (!bundle.ok) throw new Error(JSON.stringify(bundle.diagnostics));
    return JSON.parse(
      JSON.stringify(tenantDocuments(bundle.bundle.documents)),
    ) as readonly PlainDocument[];
  };

  test('is what both say together', () => {
    const desired = desiredFrom(
      partitionOf({ source: 'Directory', ...network }),
      values(networked),
    );
    expect(desired).toMatchObject({
      ok: true,
      desired: { partition: 'team-a', network: { cidr: '10.20.0.0/24', mode: 'nat' } },
    });
    expect(desired.ok && [...desired.desired.secondaries.keys()]).toEqual(['web']);
    expect(desired.ok && Object.keys(desired.desired)).not.toContain('documents');
  });

  test('is judged anew: what a worker lets through does not get through', () => {
    const [web] = values(secondaryDocument('web'));
    const forge = (change: object) => [{ file: 'a.yaml', value: { ...(web?.value as object), ...change } }];
    expect(problemsOf(desiredFrom(partitionOf(), forge({ spec: { vcpus: 999 } })))).toMatchObject(
      expect.arrayContaining([expect.objectContaining({ code: 'InvalidValue', path: 'spec.vcpus' })]),
    );
    expect(problemsOf(desiredFrom(partitionOf(), [partitionOf(network)]))).toMatchObject([
      { code: 'OperatorsOnly' },
    ]);
    expect(problemsOf(desiredFrom(partitionOf(), values(networked)))).toMatchObject([
      { code: 'UnknownReference', file: 'a.yaml', line: 0 },
    ]);
  }); // prettier-ignore

  test('is nothing where the operator asks for what cannot be done', () => {
    for (const spec of [{ policy: { devices: ['gpu'] } }]) {
      expect(problemsOf(desiredFrom(partitionOf(spec), []))).toMatchObject([
        { code: 'NotYetSupported', file: 'partitions/team-a.yaml' },
      ]);
    }
  }); // prettier-ignore

  test('is nothing where the first document is not a Partition, or has no name of one', () => {
    const secondary = { file: 'x.yaml', value: values(secondaryDocument('web'))[0]?.value };
    expect(problemsOf(desiredFrom(secondary, []))).toMatchObject([{ code: 'UnknownKind' }]);
    expect(problemsOf(desiredFrom({ file: 'x', value: null }, []))).toHaveLength(1);
    expect(problemsOf(desiredFrom(partitionOf({}, '../x'), []))).toMatchObject([
      { code: 'InvalidValue', path: 'metadata.name' },
    ]);
  });
});

test('by hand nobody makes real what a daemon reads in a directory', () => {
  const text = secondaryDocument('web') + documentOf('Partition', 'team-a', ['source: Directory']);
  expect(problemsOf(parseDocuments([{ path: 'a.yaml', text }], partition))).toMatchObject([
    { code: 'NotTheSource', path: 'spec.source', line: 16, excerpt: '  source: Directory' },
  ]);
});
