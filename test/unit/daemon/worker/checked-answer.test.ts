import { expect, test } from 'vitest';
import { answerTo } from '../../../../src/daemon/worker/answer-to.ts';
import { checkedAnswer } from '../../../../src/daemon/worker/checked-answer.ts';
import { answerBytesMax, type ParseRequest } from '../../../../src/daemon/worker/protocol.ts';
import type { PartitionName } from '../../../../src/model/names.ts';
import { secondaryDocument } from '../../documents/parsing.ts';

function request(text: string): ParseRequest {
  return {
    id: 1,
    partition: 'team-a' as PartitionName,
    files: [{ path: 'a.yaml', text }],
    partitionDocument: null,
    answerBytesMax: answerBytesMax(text.length),
  };
}

const small = request('a: 1');
const answered = (asked: ParseRequest, documents: readonly unknown[]) =>
  checkedAnswer(Buffer.from(JSON.stringify({ id: 1, status: 'parsed', documents })), asked);
const forged = (...documents: readonly unknown[]) => answered(small, documents) === null;

test('a small question has no large answer', () => {
  const document = { file: 'a.yaml', value: Array(9000).fill(1) };
  expect(forged(document)).toBe(false);
  expect(forged(document, document)).toBe(true);
  expect(answered(request(' '.repeat(20_000)), [document, document])).not.toBeNull();
});

test('no question has as an answer what no document is', () => {
  const large = request(' '.repeat(2 ** 20));
  const value = (of: unknown) => [{ file: 'a.yaml', value: of }];
  expect(answered(large, value({ key: 'x'.repeat(2_000_000) }))).not.toBeNull();
  expect(answered(large, value({ key: 'x'.repeat(2_100_000) }))).toBeNull();
  expect(answered(large, value({ ['x'.repeat(1001)]: 1 }))).toBeNull();
  expect(answered(large, value(Array(11_000).fill(1)))).toBeNull();
  // Each of these would be a mistake of its own.
  expect(answered(large, Array(50_000).fill(1))).toBeNull();
});

test('an honest worker says of its answer itself that it is too large', () => {
  const map = `{ ${Array.from({ length: 60 }, (_, i) => `k${i}: v`).join(', ')} }`;
  const header = 'apiVersion: unnest.dev/v1\nkind: Volume\nmetadata:\n  name: v\n';
  const aliased = `  labels: &l ${map}\n  annotations: *l\nspec: { size: 1GiB, format: raw }\n`;
  const fine = request(`${header}${aliased}`);
  expect(checkedAnswer(answerTo(fine).subarray(4), fine)).toMatchObject({ status: 'parsed' });
  const names = Array.from({ length: 1000 }, (_, i) => `x${i}`).join(', ');
  const each = Array.from({ length: 12 }, (_, i) => secondaryDocument(`w${i}`)).join('');
  const list = request(each.replaceAll('spec:', `spec:\n  startAfter: [${names}]`));
  const answer = checkedAnswer(answerTo(list).subarray(4), list);
  expect(answer).toMatchObject({ status: 'invalid', diagnostics: expect.anything() });
});
