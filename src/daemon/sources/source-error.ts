/** Why files could not be taken for what a partition is to be. None of it changes anything. */
import type { DiagnosticCode } from '../../documents/diagnostic.ts';
import { FileError, type FileErrorCode } from '../runtime.ts';

export type SourceProblemCode =
  | FileErrorCode
  | Extract<DiagnosticCode, 'NotUtf8'>
  | 'BadLink' // it leads nowhere, out of the folder, or back into itself
  | 'Moving'; // it changes faster than it can be read

export class SourceError extends Error {
  override readonly name = 'SourceError';
  readonly code: SourceProblemCode;

  constructor(code: SourceProblemCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.code = code;
  }
}

/** Anything else is a mistake of ours, and thrown on. */
export function problemOf(error: unknown): {
  readonly code: SourceProblemCode;
  readonly message: string;
} {
  if (error instanceof SourceError) return { code: error.code, message: error.message };
  if (error instanceof FileError) return { code: error.code, message: error.message };
  throw error;
}
