/** What the libvirt client throws, as the host's one error. */
import type { LibvirtErrorCode } from '../../libvirt/error-codes.ts';
import { ConnectionError, type ConnectionErrorReason, LibvirtError } from '../../libvirt/errors.ts';
import { HostError, type HostErrorCode } from '../host-error.ts';

/** Runs a call of the client. @param doing what for, such as `starting unnest.team-a.web`. */
export async function calling<T>(doing: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw hostErrorFrom(doing, error);
  }
}

function hostErrorFrom(doing: string, error: unknown): unknown {
  if (error instanceof LibvirtError) {
    const context = { libvirtCode: error.code, libvirtDomain: error.domain };
    return new HostError(refusals.get(error.code) ?? 'Refused', doing, { cause: error, context });
  }
  if (error instanceof ConnectionError) {
    return new HostError(connectionCode(error.reason), doing, { cause: error });
  }
  return error;
}

/** What libvirt's refusals mean for us; every other is plainly one. */
const refusals = new Map<LibvirtErrorCode, HostErrorCode>([
  ['OPERATION_DENIED', 'PermissionDenied'],
  ['AUTH_FAILED', 'PermissionDenied'],
  ['ACCESS_DENIED', 'PermissionDenied'],
  ['OPERATION_TIMEOUT', 'Timeout'],
  ['AGENT_UNRESPONSIVE', 'Timeout'],
  ['NO_SUPPORT', 'Unsupported'],
  ['OPERATION_UNSUPPORTED', 'Unsupported'],
  ['ARGUMENT_UNSUPPORTED', 'Unsupported'],
]);

function connectionCode(reason: ConnectionErrorReason): HostErrorCode {
  switch (reason) {
    case 'unreachable':
    case 'closed':
      return 'Unreachable';
    case 'permission':
    case 'auth':
      return 'PermissionDenied';
    case 'protocol':
      return 'Protocol';
    case 'timeout':
      return 'Timeout';
    case 'aborted':
      return 'Cancelled';
    case 'read-only':
      return 'Unsupported';
  }
}
