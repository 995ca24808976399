import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { differByDeclaration, verdictOfOracle, verdictOfOurs } from './xml-oracle.ts';
import { damaged, documents, recorded } from './xml-texts.ts';

function expectSameVerdict(text: string): void {
  const ours = verdictOfOurs(text);
  const theirs = verdictOfOracle(text);
  if (ours !== theirs && differByDeclaration(text)) return;
  expect(ours).toBe(theirs);
}

describe('our parser says of XML what a general one does,', () => {
  test.each(recorded)('of libvirt, as recorded: %.40s', (text) => {
    expect(verdictOfOurs(text)).not.toBeNull();
    expect(verdictOfOurs(text)).toBe(verdictOfOracle(text));
  });

  test('well-formed in every way', () => {
    fc.assert(
      fc.property(documents, (text) => {
        expect(verdictOfOurs(text)).not.toBeNull();
        expect(verdictOfOurs(text)).toBe(verdictOfOracle(text));
      }),
      { numRuns: 1000 },
    );
  });

  test('damaged', () => {
    fc.assert(fc.property(damaged(documents), expectSameVerdict), { numRuns: 3000 });
  });

  test('of libvirt, damaged', () => {
    const texts = fc.constantFrom(...recorded);
    fc.assert(fc.property(damaged(texts), expectSameVerdict), { numRuns: 500 });
  });
});
