/** What went wrong with a file, as the runtime's one error. */
import { FileError, type FileErrorCode } from '../runtime.ts';

const codes = new Map<string, FileErrorCode>([
  ['ENOENT', 'Missing'],
  // A file stands where a folder of the path should be.
  ['ENOTDIR', 'Missing'],
  ['EACCES', 'PermissionDenied'],
  ['EPERM', 'PermissionDenied'],
  ['ENOSPC', 'NoSpace'],
  ['EDQUOT', 'NoSpace'],
  ['EROFS', 'ReadOnly'],
  ['EISDIR', 'NotAFile'],
  // Something else stands where a folder should be made.
  ['EEXIST', 'NotAFile'],
  // What opening a socket, or a device without a driver, says.
  ['ENXIO', 'NotAFile'],
  ['ENODEV', 'NotAFile'],
]);

/** @param doing such as `reading /etc/unnest/a.yaml` */
export function fileError(doing: string, cause: unknown): FileError {
  if (cause instanceof FileError) return cause;
  return new FileError(codes.get(errnoOf(cause)) ?? 'Failed', doing, { cause });
}

/** Runs `act`, and says of its failure what was being done. */
export async function whileDoing<T>(doing: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    throw fileError(doing, cause);
  }
}

export function errnoOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
