import { expect, test } from 'vitest';
import { shortDiagnostic, tameDiagnostic } from '../../../../src/daemon/worker/short-diagnostic.ts';
import type { Diagnostic } from '../../../../src/documents/diagnostic.ts';

const long = '\u001b[2J'.repeat(100_000);
const diagnostic: Diagnostic = {
  code: 'UnknownField',
  file: 'a.yaml',
  line: 1,
  column: 2,
  path: long,
  message: long,
  remedy: long,
  excerpt: long,
};

test('every text is cut', () => {
  const { path, message, remedy, excerpt } = shortDiagnostic(diagnostic);
  expect([path, message, remedy, excerpt].map((text) => text?.length)).toEqual([500, 1000, 1000, 500]);
  expect(shortDiagnostic({ ...diagnostic, column: 501 }).excerpt).toBeNull();
}); // prettier-ignore

test('what names hold does not reach a terminal', () => {
  const { path, message, remedy } = tameDiagnostic(diagnostic);
  expect(`${path}${message}${remedy}`).not.toMatch(/\p{C}/u);
  expect(path).toMatch(/^(?:\ufffd\[2J)+$/);
  expect(tameDiagnostic({ ...diagnostic, remedy: null }).remedy).toBeNull();
});
