/** What a worker may answer is enough for the largest documents that are valid. */
import { expect, test } from 'vitest';
import { answerBounds, answerBytesMax } from '../../../../src/daemon/worker/protocol.ts';
import { isWithinBounds } from '../../../../src/documents/json-cost.ts';
import { parseBundle } from '../../../../src/documents/bundle.ts';
import { secondaryDocument } from '../../documents/parsing.ts';

const version = '"ignition":{"version":"3.4.0"}';
/** As many bytes as may be, of those that JSON makes most of. */
const largest = (start: string, bytes: number) => `${start}${'\n'.repeat(bytes - start.length)}`;

test.each([
  ['userData', 'cloudInit: { userData: TEXT }', largest('"', 64 * 2 ** 10)],
  ['ignition', 'ignition: { config: TEXT }', largest(`{${version}}`, 256 * 2 ** 10)],
])('%s', (_what, field, value) => {
  const text = secondaryDocument(
    'web',
    field.replace('TEXT', () => JSON.stringify(value)),
  );
  const files = [{ path: 'a.yaml', text }];
  const parsed = parseBundle(files, null);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.diagnostics));
  const values = parsed.bundle.documents.map(({ source }) => ({ value: source.value }));
  const answer = new TextEncoder().encode(JSON.stringify({ documents: values }));
  expect(isWithinBounds(answer, answerBounds({ files }))).toBe(true);
  expect(answer.length).toBeLessThan(answerBytesMax(text.length));
});
