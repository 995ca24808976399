/** What went wrong with a local file or socket, as the host's one error. */
import { HostError, type HostErrorCode } from '../host-error.ts';

const codes = new Map<string, HostErrorCode>([
  ['EACCES', 'PermissionDenied'],
  ['EPERM', 'PermissionDenied'],
  ['EROFS', 'PermissionDenied'],
  ['EADDRINUSE', 'Conflict'],
]);

/** @param doing such as `reading /var/lib/unnest/installation.id`. */
export function ioError(doing: string, cause: unknown): HostError {
  return new HostError(codes.get(errnoOf(cause)) ?? 'Refused', doing, { cause });
}

export function hasErrno(error: unknown, errno: string): boolean {
  return errnoOf(error) === errno;
}

function errnoOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
