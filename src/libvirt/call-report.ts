/** How long a call took, for whoever measures. */
export interface CallReport {
  /** As in the table of procedures, which is closed. */
  readonly procedure: string;
  /** From the call to its answer, its wait in the queue included. */
  readonly durationMs: number;
  /** Whether it was answered with a result. */
  readonly ok: boolean;
}

/** Must not throw. */
export type OnCall = (report: CallReport) => void;

/** Makes the call, and tells of it once it has ended. The caller's answer does not wait for that. */
export function reported<R>(procedure: string, call: () => Promise<R>, tell: OnCall): Promise<R> {
  const startMs = performance.now();
  const answer = call();
  const ended = (ok: boolean) => tell({ procedure, durationMs: performance.now() - startMs, ok });
  answer.then(
    () => ended(true),
    () => ended(false),
  );
  return answer;
}
