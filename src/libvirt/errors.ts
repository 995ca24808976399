import { errorCodeName, type LibvirtErrorCode } from './error-codes.ts';

/**
 * The two errors of this library. `LibvirtError` is an answer: libvirtd got the call and said
 * no. `ConnectionError` is the lack of one. Anything else that is thrown (`RangeError`) is an
 * argument that cannot be sent.
 */

export interface ServerError {
  readonly number: number;
  readonly domain: number;
  readonly level: number;
  readonly message: string | null;
}

/** What libvirtd answered instead of a result. */
export class LibvirtError extends Error {
  override readonly name = 'LibvirtError';
  /** Name of the error number, `UNKNOWN` for one newer than this library. */
  readonly code: LibvirtErrorCode;
  /** libvirt's error number. */
  readonly number: number;
  /** The part of libvirt that raised it, by libvirt's number. */
  readonly domain: number;
  readonly level: 'warning' | 'error';
  /** libvirt's own words, as they came. They may hold names that a guest has chosen. */
  readonly serverMessage: string;
  /** The procedure that was answered so, such as `domain_create_with_flags`. */
  readonly procedure: string;
  /** Whether the same call may succeed later with nothing else changed. */
  readonly retryable: boolean;

  constructor(procedure: string, error: ServerError) {
    const code = errorCodeName(error.number);
    const serverMessage = error.message ?? 'no message';
    super(`libvirt refused ${procedure} (${code}): ${serverMessage}`);
    this.code = code;
    this.number = error.number;
    this.domain = error.domain;
    this.level = error.level === 1 ? 'warning' : 'error';
    this.serverMessage = serverMessage;
    this.procedure = procedure;
    this.retryable = retryableCodes.has(code);
  }
}

/** Errors of a moment: a busy object, a silent guest agent, a lock that was not had in time. */
const retryableCodes: ReadonlySet<LibvirtErrorCode> = new Set([
  'NO_MEMORY',
  'OPERATION_TIMEOUT',
  'AGENT_UNRESPONSIVE',
  'AGENT_UNSYNCED',
  'RESOURCE_BUSY',
  'BLOCK_COPY_ACTIVE',
]);

export type ConnectionErrorReason =
  | 'unreachable' // no daemon behind the socket, or a transport that is not supported
  | 'permission' // the socket may not be opened by this user
  | 'auth' // the daemon wants an authentication that we cannot or may not give
  | 'protocol' // bytes that do not follow the protocol; the socket has been closed
  | 'closed' // the socket is gone, by our close() or by the daemon
  | 'timeout' // no answer in time, or no sign of life from the daemon
  | 'aborted' // the caller's AbortSignal fired
  | 'read-only'; // a call that changes something, on a read-only connection

export interface ConnectionErrorDetails {
  readonly cause?: unknown;
  /** See `ConnectionError.mayHaveRun`. */
  readonly mayHaveRun?: boolean;
  /** Overrules the reason's own answer to whether trying again can help. */
  readonly retryable?: boolean;
}

/** No answer to a call, or no connection at all. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  readonly reason: ConnectionErrorReason;
  /** Whether a new attempt, on a new connection if need be, may succeed. */
  readonly retryable: boolean;
  /** Whether libvirtd may have carried the call out all the same: re-read before repeating it. */
  readonly mayHaveRun: boolean;

  constructor(
    reason: ConnectionErrorReason,
    message: string,
    details: ConnectionErrorDetails = {},
  ) {
    super(message, details.cause === undefined ? {} : { cause: details.cause });
    this.reason = reason;
    this.retryable = details.retryable ?? retryableReasons[reason];
    this.mayHaveRun = details.mayHaveRun ?? false;
  }
}

const retryableReasons: Readonly<Record<ConnectionErrorReason, boolean>> = {
  unreachable: true,
  permission: false,
  auth: false,
  protocol: true,
  closed: true,
  timeout: true,
  aborted: false,
  'read-only': false,
};

/** Maps what `connect(2)` said to a reason. */
export function dialError(socketPath: string, cause: unknown): ConnectionError {
  const code = errnoOf(cause);
  const reason = code === 'EACCES' || code === 'EPERM' ? 'permission' : 'unreachable';
  return new ConnectionError(reason, `cannot connect to libvirtd at ${socketPath}`, { cause });
}

function errnoOf(cause: unknown): unknown {
  return cause instanceof Error && 'code' in cause ? cause.code : undefined;
}
