/** Numbers and names that somebody writes to get more than they may have: each its code, and nothing is made of it. */
import { describe, expect, test } from 'vitest';
import { parseDocuments } from '../../../src/documents/desired-state.ts';
import { partition } from '../../support/passes.ts';
import { documentOf, secondaryDocument } from './parsing.ts';

const share = { vcpus: '4', memory: '4GiB', storage: '1GiB', secondaries: '9' };

function limitsWith(name: string, value: string): string {
  const fields = Object.entries({ ...share, [name]: value }).map(
    ([key, each]) => `${key}: ${each}`,
  );
  return documentOf('Partition', 'team-a', [`limits: { ${fields.join(', ')} }`]);
}

function codesOf(text: string): readonly string[] {
  const parsed = parseDocuments([{ path: 'a.yaml', text }], partition);
  // Several reasons for one value are one mistake.
  const found = parsed.ok ? [] : parsed.diagnostics.map(({ code, path }) => `${code} ${path}`);
  return [...new Set(found)];
}

describe('a hostile number', () => {
  const numbers = ['0', '-1', '.nan', '.inf', '1e400', '1.5', '9007199254740993', '"4"', '[4]'];

  test.each(numbers)('%s vCPUs are refused, of a partition and of a Secondary', (value) => {
    expect(codesOf(limitsWith('vcpus', value))).toEqual(['InvalidValue spec.limits.vcpus']);
    const text = secondaryDocument('web').replace(/vcpus: \d+/, `vcpus: ${value}`);
    expect(codesOf(text)).toEqual(['InvalidValue spec.vcpus']);
  });

  const sizes = [
    '0',
    '0MiB',
    '-1GiB',
    '.nan',
    '1e3GiB',
    '9007199254740992',
    '9007199254740992KiB',
    '8388608TiB',
    '0x10MiB',
    '1 GiB',
    '1GB',
  ];

  test.each(sizes)('%s of memory is refused, of a partition and of a Secondary', (value) => {
    expect(codesOf(limitsWith('memory', value))).toEqual(['InvalidValue spec.limits.memory']);
    const text = secondaryDocument('web').replace(/memory: \S+/, `memory: ${value}`);
    expect(codesOf(text)).toEqual(['InvalidValue spec.memory']);
  });

  test.each(['1000000', '0', '-1', '.inf'])('%s replicas are refused', (value) => {
    const text = secondaryDocument('web', `replicas: ${value}`);
    expect(codesOf(text)).toEqual(['InvalidValue spec.replicas']);
  });
});

test.each([
  ['a MAC address', 'mac: 52:54:00:00:00:01'],
  ['a slice', 'slice: None'],
  ['an address', 'address: 10.20.0.1'],
])('nobody chooses %s for themselves', (_, field) => {
  const [name] = field.split(':');
  expect(codesOf(secondaryDocument('web', field))).toEqual([`UnknownField spec.${name}`]);
});

test.each(['unnest.team-a.web', 'a/b', '../x', ''])('a Primary is not called %j', (domain) => {
  const primary = `primary: { domain: ${JSON.stringify(domain)}, reserved: { vcpus: 1, memory: 1GiB } }`;
  expect(codesOf(documentOf('Partition', 'team-a', [primary]))).toEqual([
    'InvalidValue spec.primary.domain',
  ]);
});
