/** The one error of the client: the daemon does not answer, has said no, or has broken off. */
import type { Diagnostic } from '../documents/diagnostic.ts';

/** Of the client itself; every other code is the one that the daemon's answer has. */
export type ClientErrorCode =
  | 'NotRunning' // nobody listens on the socket
  | 'NotAllowed' // the socket is not for this user
  | 'Broken' // the connection ended in the middle of an answer or a stream
  | 'NotUnderstood' // an answer that no unnestd of this version gives
  | 'VersionsDiffer' // one side is older, and lacks what the other asks for
  | 'Cancelled'; // the signal has fired

export class DaemonError extends Error {
  override readonly name = 'DaemonError';
  readonly code: ClientErrorCode | (string & {});
  /** Of documents that were refused; else empty. */
  readonly diagnostics: readonly Diagnostic[];

  /** @param message what we were doing, or what the daemon says */
  constructor(
    code: ClientErrorCode | (string & {}),
    message: string,
    options: { cause?: unknown; diagnostics?: readonly Diagnostic[] } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.diagnostics = options.diagnostics ?? [];
  }
}
