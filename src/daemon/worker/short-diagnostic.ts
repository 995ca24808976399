/** Diagnostics as they are shown and kept: a name may be as long as a document, and a mistake is to be read. */
import type { Diagnostic } from '../../documents/diagnostic.ts';
import { workerLimits } from './limits.ts';
import { tame } from './tame.ts';

const { messageCharactersMax, pathCharactersMax, excerptCharactersMax } = workerLimits;

export function shortDiagnostic(diagnostic: Diagnostic): Diagnostic {
  const { path, message, remedy, excerpt, column } = diagnostic;
  return {
    ...diagnostic,
    path: path.slice(0, pathCharactersMax),
    message: message.slice(0, messageCharactersMax),
    remedy: remedy?.slice(0, messageCharactersMax) ?? null,
    // A line that is cut before its mistake shows nothing.
    excerpt:
      column > excerptCharactersMax ? null : (excerpt?.slice(0, excerptCharactersMax) ?? null),
  };
}

/** Of what the daemon finds itself in values that a worker has handed it: their names are in it. */
export function tameDiagnostic(diagnostic: Diagnostic): Diagnostic {
  const { path, message, remedy, ...rest } = shortDiagnostic(diagnostic);
  return {
    ...rest,
    path: tame(path, pathCharactersMax),
    message: tame(message, messageCharactersMax),
    remedy: remedy === null ? null : tame(remedy, messageCharactersMax),
  };
}
