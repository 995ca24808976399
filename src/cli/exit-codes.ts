/**
 * What the exit status says. Part of the interface from the first release on: README has the same
 * table, and a test compares the two.
 */
export const exitCodes = {
  /** Done, or nothing to do. */
  ok: 0,
  /** `plan --detailed-exitcode`: there are changes. */
  changes: 2,
  /** Some of it could not be done: an operation failed, was refused or is blocked. */
  partial: 3,
  /** The documents are not valid; nothing was done. */
  validation: 4,
  /** libvirt or unnestd does not answer, or does not let us in. */
  unreachable: 5,
  /** `--timeout` has passed. */
  timeout: 6,
  /** Somebody else is changing the partition, or has changed it meanwhile. */
  conflict: 7,
  /** The command line is wrong (EX_USAGE of sysexits.h). */
  usage: 64,
  /** A bug in unnest (EX_SOFTWARE of sysexits.h); 1 would be what `diff` says of differences. */
  bug: 70,
  /** What was to be printed could not be written (EX_IOERR); the work itself was done. */
  output: 74,
  /** Ctrl-C or SIGTERM; what was under way was finished. */
  interrupted: 130,
} as const;

/** Below are the ways to succeed: `ok`, `changes`, and `diff`'s own 1. */
export const errorCodesFrom = exitCodes.partial;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
