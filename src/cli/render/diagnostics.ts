/** What is wrong with the documents, with the line and a caret under the place. */
import type { Diagnostic } from '../../documents/diagnostic.ts';
import { type Paint, printable } from './paint.ts';

export function renderDiagnostics(diagnostics: readonly Diagnostic[], paint: Paint): string {
  return diagnostics.map((diagnostic) => `${renderOne(diagnostic, paint)}\n`).join('\n');
}

function renderOne(diagnostic: Diagnostic, paint: Paint): string {
  const { file, line, column, path, code, message, remedy } = diagnostic;
  const place = line === 0 ? file : `${file}:${line}:${column}`;
  const subject = path === '' ? '' : `${paint.bold(printable(path))}: `;
  const head = `${printable(place)}: ${paint.red(code)}: ${subject}${printable(message)}`;
  return [
    head,
    ...excerpt(diagnostic, paint),
    ...(remedy === null ? [] : [`  ${printable(remedy)}`]),
  ].join('\n');
}

const excerptColumnsMax = 160;

function excerpt({ line, column, excerpt: text }: Diagnostic, paint: Paint): string[] {
  if (text === null || line === 0) return [];
  const gutter = `  ${line} | `;
  // A long line is shown from shortly before the place on.
  const from = column > excerptColumnsMax ? column - 40 : 0;
  const shown = text.slice(from, from + excerptColumnsMax);
  const before = printable(shown.slice(0, column - 1 - from));
  const caret = ' '.repeat(gutter.length + before.length);
  return [`${paint.dim(gutter)}${printable(shown)}`, `${caret}${paint.red('^')}`];
}
