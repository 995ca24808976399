/** What the libvirt client throws, as the host's one error. */
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

export function hostErrorFrom(doing: string, error: unknown): unknown {
  if (error instanceof LibvirtError) {
    const context = { libvirtCode: error.code, libvirtDomain: error.domain };
    return new HostError(refusal(error), doing, { cause: error, context });
  }
  if (error instanceof ConnectionError) {
    return new HostError(connectionCode(error.reason), doing, { cause: error });
  }
  return error;
}

function refusal({ code }: LibvirtError): HostErrorCode {
  switch (code) {
    case 'OPERATION_DENIED':
    case 'AUTH_FAILED':
    case 'ACCESS_DENIED':
      return 'PermissionDenied';
    case 'OPERATION_TIMEOUT':
    case 'AGENT_UNRESPONSIVE':
      return 'Timeout';
    case 'NO_SUPPORT':
    case 'OPERATION_UNSUPPORTED':
    case 'ARGUMENT_UNSUPPORTED':
      return 'Unsupported';
    default:
      return 'Refused';
  }
}

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
