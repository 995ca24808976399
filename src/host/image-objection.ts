/** Why an image is refused. Each is a word that `unnest explain` knows, and in the message of the refusal. */
import { HostError } from './host-error.ts';

export type ObjectionCode =
  | 'DigestMismatch' // its bytes are others than the document says
  | 'WrongFormat' // it is not of the format that the document declares
  | 'SeveralFormats' // it is of that format, and of another one too
  | 'UnknownVersion' // a version of the format that is not known
  | 'BackingFile' // it lies on another file
  | 'ExternalDataFile' // it keeps its data in another file
  | 'Encrypted'
  | 'Dirty' // it was not closed properly
  | 'Corrupt' // it says so of itself, or its tables contradict one another
  | 'InternalSnapshots'
  | 'Bitmaps'
  | 'UnknownFeature' // a feature, a header extension or a compression that is not on the list
  | 'BadGeometry' // clusters, header or size that no honest image has
  | 'BadTables' // tables outside of the file, over one another, or larger than its size needs
  | 'TooLarge' // more than the document allows, or than its size is worth
  | 'NoFileSystem' // what it is to be taken from is no ext4
  | 'StillMounted' // that was not unmounted before it was handed over
  | 'NotOnDisk' // there is no such file on it
  | 'NotAFile' // it is a folder, a link or a device
  | 'OtherSize' // it has more bytes than the document says, or fewer
  | 'NoRoomToShrink' // without its file the disk is still too full to become smaller
  | 'Disagreement' // two readers of its header say different things
  | 'OverLimits'; // looking into it took more time, memory or room than it may

export interface Objection {
  readonly code: ObjectionCode;
  /** Completes "it cannot be used: ...". */
  readonly words: string;
}

export function objection(code: ObjectionCode, words: string): Objection {
  return { code, words };
}

/** @param what such as a file's name */
export function refusal(what: string, { code, words }: Objection, cause?: unknown): HostError {
  const message = `${what} cannot be used: ${words} (${code})`;
  return new HostError('Refused', message, { context: { objection: code }, cause });
}

/** Whether it is about the bytes, and not about the host. */
export function isObjection(error: unknown): boolean {
  return error instanceof HostError && 'objection' in error.context;
}
