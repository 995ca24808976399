/** How a command ends early: a message for the person, and the exit code that goes with it. */
import { DaemonError } from '../channel/daemon-error.ts';
import { HostError, type HostErrorCode } from '../host/host-error.ts';
import { daemonExitCode, daemonRemedy } from './daemon-problems.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: ExitCode;
  /** What to do about it, or null. */
  readonly remedy: string | null;

  constructor(
    exitCode: ExitCode,
    message: string,
    options: { cause?: unknown; remedy?: string | null } = {},
  ) {
    super(message, { cause: options.cause });
    this.exitCode = exitCode;
    this.remedy = options.remedy ?? null;
  }
}

export function usageError(message: string, remedy: string | null = null): CommandError {
  return new CommandError(exitCodes.usage, message, { remedy });
}

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CommandError) return error.exitCode;
  if (error instanceof DaemonError) return daemonExitCode(error);
  return error instanceof HostError ? hostExitCode(error.code) : exitCodes.bug;
}

/** What to do about an error, or null where its message has to do. */
export function remedyOf(error: unknown): string | null {
  if (error instanceof CommandError) return error.remedy;
  if (error instanceof DaemonError) return daemonRemedy(error);
  return error instanceof HostError ? hostRemedy(error.code) : null;
}

function hostRemedy(code: HostErrorCode): string | null {
  switch (code) {
    case 'Unreachable':
      return 'is libvirtd running there? `unnest doctor` looks more closely';
    case 'PermissionDenied':
      return 'permission is missing: run as root, or as a member of group libvirt';
    case 'Conflict':
      return 'look again with `unnest plan`, then try once more';
    case 'Protocol':
    case 'Timeout':
    case 'Cancelled':
    case 'Refused':
    case 'Unsupported':
      return null;
  }
}

function hostExitCode(code: HostErrorCode): ExitCode {
  switch (code) {
    case 'Unreachable':
    case 'PermissionDenied':
    case 'Protocol':
      return exitCodes.unreachable;
    case 'Timeout':
      return exitCodes.timeout;
    case 'Cancelled':
      return exitCodes.interrupted;
    case 'Conflict':
      return exitCodes.conflict;
    case 'Refused':
    case 'Unsupported':
      return exitCodes.partial;
  }
}
