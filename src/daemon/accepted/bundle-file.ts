/**
 * One accepted bundle in its file. What cannot be read is not what is torn: a disk that does not
 * answer says nothing about the file on it, while torn bytes will never be whole again.
 */
import { explainError } from '../../host/host-error.ts';
import type { PartitionName } from '../../model/names.ts';
import type { AcceptedBundle } from '../../report/submission.ts';
import { FileError, type Files } from '../runtime.ts';
import { acceptedBundle } from './bundle-schema.ts';
import { unseal } from './sealed-file.ts';
import { firstIssue } from './stored-parts.ts';

/** Of one file: the largest bundle, as JSON, whose escapes take more room than YAML's. */
export const bundleFileBytesMax = 40 * 2 ** 20;

export type BundleRead =
  | { readonly status: 'whole'; readonly bundle: AcceptedBundle; readonly bytes: number }
  | { readonly status: 'torn'; readonly message: string }
  | { readonly status: 'missing' }
  | { readonly status: 'failed'; readonly message: string };

/** @param expected whose bundle it is, from where it stands */
export async function readBundleFile(
  files: Files,
  path: string,
  expected: { readonly partition: PartitionName; readonly generation: number },
): Promise<BundleRead> {
  let bytes: Uint8Array;
  try {
    bytes = await files.read(path, bundleFileBytesMax);
  } catch (error) {
    return notRead(error);
  }
  const unsealed = unseal('accepted', bytes);
  if (unsealed.status === 'torn') return torn(path, unsealed.message);
  const parsed = acceptedBundle.safeParse(unsealed.value);
  if (!parsed.success) return torn(path, firstIssue(parsed.error));
  const bundle = parsed.data;
  if (bundle.partition !== expected.partition || bundle.generation !== expected.generation) {
    return torn(path, `it is generation ${bundle.generation} of partition ${bundle.partition}`);
  }
  return { status: 'whole', bundle, bytes: bytes.length };
}

function notRead(error: unknown): BundleRead {
  if (!(error instanceof FileError)) throw error;
  const message = explainError(error);
  switch (error.code) {
    case 'Missing':
      return { status: 'missing' };
    // We never wrote such a thing.
    case 'TooLarge':
    case 'NotAFile':
      return { status: 'torn', message };
    case 'PermissionDenied':
    case 'NoSpace':
    case 'ReadOnly':
    case 'Failed':
      return { status: 'failed', message };
  }
}

function torn(path: string, why: string): BundleRead {
  return { status: 'torn', message: `${path} is not a bundle that was accepted: ${why}` };
}
