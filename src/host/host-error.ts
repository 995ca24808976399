/** The one error of the host's border. Adapters turn whatever they meet into it. */
export type HostErrorCode =
  | 'Unreachable' // nobody answers, or the connection broke
  | 'PermissionDenied'
  | 'Timeout' // asked, and not answered or not done in time: the effect is unknown
  | 'Cancelled' // we stopped waiting because we were told to
  | 'Conflict' // the world has moved since it was observed, or somebody else holds the lock
  | 'Refused' // the host understood and said no
  | 'Unsupported' // the host, or this connection, cannot do that
  | 'Protocol'; // the host answered what it must not

const retryableCodes = new Set<HostErrorCode>(['Unreachable', 'Timeout', 'Conflict']);

export class HostError extends Error {
  override readonly name = 'HostError';
  readonly code: HostErrorCode;
  /** For the reader: which call, which domain. Never a secret. */
  readonly context: Readonly<Record<string, string | number>>;

  /** @param message what we were doing, without repeating the cause. */
  constructor(
    code: HostErrorCode,
    message: string,
    options: { cause?: unknown; context?: Readonly<Record<string, string | number>> } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.context = options.context ?? {};
  }

  /** Whether the same thing may succeed later without anybody changing a document. */
  get retryable(): boolean {
    return retryableCodes.has(this.code);
  }
}

/** The message with those of its causes, outermost first: for people. */
export function explainError(error: unknown): string {
  const parts: string[] = [];
  for (let at = error; at instanceof Error && parts.length < 5; at = at.cause) {
    if (at.message !== '' && at.message !== parts.at(-1)) parts.push(at.message);
  }
  return parts.length > 0 ? parts.join(': ') : String(error);
}
