import { expect, test } from 'vitest';
import { answerTo } from '../../../../src/daemon/worker/answer-to.ts';
import { checkedAnswer } from '../../../../src/daemon/worker/checked-answer.ts';
import type { ParseRequest } from '../../../../src/daemon/worker/protocol.ts';
import type { PartitionName } from '../../../../src/model/names.ts';
import { documentOf, secondaryDocument } from '../../documents/parsing.ts';

function request(text: string, more: Partial<ParseRequest> = {}): ParseRequest {
  const files = [{ path: 'a.yaml', text }];
  return {
    id: 1,
    partition: 'team-a' as PartitionName,
    files,
    partitionDocument: null,
    answerBytesMax: 2 ** 20,
    ...more,
  };
}

/** What an honest worker says has to get through, whatever the documents are. */
function answer(asked: ParseRequest) {
  const checked = checkedAnswer(answerTo(asked).subarray(4), asked);
  if (checked === null) throw new Error('an honest answer was taken for a forged one');
  return checked;
}

test('a Partition among them is refused', () => {
  expect(answer(request(documentOf('Partition', 'team-a', ['source: Apply'])))).toMatchObject({
    status: 'invalid',
    diagnostics: [{ code: 'OperatorsOnly', file: 'a.yaml', line: 3, column: 7, path: 'kind' }],
  });
});

test('what the operator wrote is never handed back, nor complained of to the tenant', () => {
  const value = {
    apiVersion: 'unnest.dev/v1',
    kind: 'Partition',
    metadata: { name: 'team-a' },
    spec: { limits: { vcpus: 1, memory: '1GiB', storage: '1GiB', secondaries: 1 } },
  };
  const partitionDocument = { file: 'partition.yaml', value };
  const parsed = answer(request(secondaryDocument('web'), { partitionDocument }));
  expect(parsed).toMatchObject({ status: 'parsed', documents: [{ file: 'a.yaml' }] });
});

test('long lines, long names and control characters come through, cut and tamed', () => {
  const key = `"\\u001b[2J${'x'.repeat(900)}"`;
  const line = `  ${key}: 1 # \u001b[2J\u202e\u009b ${'y'.repeat(5000)}`;
  const bad = answer(request(`${secondaryDocument('web')}${line}\n`));
  expect(bad).toMatchObject({ diagnostics: [{ code: 'UnknownField', line: 10 }] });
  const { diagnostics } = bad as unknown as { diagnostics: Record<string, string>[] };
  expect(diagnostics[0]?.['path']).toMatch(/^spec\.\ufffd\[2Jx+$/);
  expect(Object.values(diagnostics[0] ?? {}).join('')).not.toMatch(/\p{C}/u);
  const far = answer(request(`${secondaryDocument('web')}  x: { ${' '.repeat(600)}y: , }}\n`));
  expect(far).toMatchObject({ diagnostics: [{ line: 10, excerpt: null }] });
});

test('as many mistakes as there are come through', () => {
  const many = Array.from({ length: 500 }, (_, i) => `---\na: ${i}\n`).join('');
  const { diagnostics } = answer(request(many)) as unknown as { diagnostics: unknown[] };
  expect(diagnostics).toHaveLength(200);
});

test('an answer that would be too large is a mistake in the documents', () => {
  const asked = request(secondaryDocument('web'), { answerBytesMax: 200 });
  expect(answer(asked)).toMatchObject({ diagnostics: [{ code: 'TooLarge', file: 'a.yaml' }] });
});

test('many more documents than there may be are a mistake, too', () => {
  const each = Array.from({ length: 11_000 }, (_, i) => secondaryDocument(`w${i}`)).join('');
  const volumes = Array.from({ length: 11_000 }, (_, i) =>
    documentOf('Volume', `v${i}`, ['size: 1GiB', 'format: raw']),
  ).join('');
  const files = [
    { path: 'a.yaml', text: each },
    { path: 'b.yaml', text: volumes },
  ];
  const asked = request('', { files, answerBytesMax: 32 * 2 ** 20 });
  expect(answer(asked)).toMatchObject({ diagnostics: [{ code: 'TooLarge' }] });
}, 60_000);
