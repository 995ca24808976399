import { expect, test } from 'vitest';
import { parseDocuments } from '../../../src/documents/desired-state.ts';
import { splitLabels } from '../../../src/model/domain.ts';
import { partition } from '../../support/passes.ts';

test('half a character in a label is refused, since it could not be written down', () => {
  const text = `apiVersion: unnest.dev/v1
kind: Secondary
metadata: { name: web, labels: { a: "\\uD800" } }
spec: { vcpus: 1, memory: 64MiB, boot: { kernel: { file: vmlinuz } } }
`;
  const parsed = parseDocuments([{ path: 'x.yaml', text }], partition);
  expect(parsed).toMatchObject({ ok: false, diagnostics: [{ code: 'InvalidValue', line: 3 }] });
});

test('labels of a mark that somebody edited are shown as they stand', () => {
  expect([...splitLabels('a=%ZZ,b=c%20d')]).toEqual([
    ['a', '%ZZ'],
    ['b', 'c d'],
  ]);
});
