/**
 * All documents below a folder at one moment, or word that there was none: every file is looked at
 * before and after, and if one has moved in between, nothing of it is used. A folder that is not
 * there is not an empty one.
 */
import type { Diagnostic } from '../../documents/diagnostic.ts';
import { documentLimits } from '../../documents/limits.ts';
import type { SourceFile } from '../../documents/source.ts';
import { notUtf8, textOf, tooLarge } from '../../documents/text-file.ts';
import { FileError, type FileFacts, type Files, type Runtime } from '../runtime.ts';
import { type ScannedFile, scanFolder } from './scan-folder.ts';
import { problemOf, type SourceProblemCode } from './source-error.ts';

/** One document, and how it came to be there. */
export interface FoundFile extends SourceFile {
  /** Those that it is reached by: of every link, and last its own, with no link in its path. */
  readonly names: readonly string[];
  /** Another one where it is another file, or was written to. */
  readonly key: string;
  /** As the file system says: milliseconds since the epoch. */
  readonly changedAt: number;
}

export type FolderRead =
  | {
      readonly status: 'read';
      /** By path, which is that below the folder. */
      readonly files: readonly FoundFile[];
      /** Another one where any file is another, or was written to. */
      readonly fingerprint: string;
    }
  /** It changed while it was read. */
  | { readonly status: 'moving' }
  | { readonly status: 'missing' }
  | {
      readonly status: 'failed';
      readonly code: SourceProblemCode;
      readonly message: string;
      /** Where it is files that are bad; empty where it is not their content. */
      readonly diagnostics: readonly Diagnostic[];
    };

/**
 * What files held when they were read last. Of a folder of a thousand files one change would
 * otherwise cost a thousand reads.
 */
export type ReadBefore = Map<string, { readonly facts: FileFacts; readonly text: string }>;

/** How many files are read at a time. */
const readsAtOnce = 8;
/** A file that is written again this soon may have the same times, so that it is not remembered. */
const sameTimesMs = 100;

/**
 * Never rejects, unless by a mistake of ours.
 * @param before of the last read of the same folder, brought up to date
 */
export async function readFolder(
  { files, clock }: Pick<Runtime, 'files' | 'clock'>,
  folder: string,
  before: ReadBefore = new Map(),
): Promise<FolderRead> {
  try {
    const root = await files.resolve(folder);
    const readable = { files, root, before, trustedBefore: clock.wall() - sameTimesMs };
    return await readRoot(readable, folder);
  } catch (error) {
    if (error instanceof FileError && error.code === 'Missing') return { status: 'missing' };
    return { status: 'failed', ...problemOf(error), diagnostics: [] };
  }
}

interface Readable {
  readonly files: Files;
  readonly root: string;
  readonly before: ReadBefore;
  readonly trustedBefore: number;
}

async function readRoot(readable: Readable, folder: string): Promise<FolderRead> {
  const { files, root } = readable;
  try {
    const scanned = await scanFolder(files, root);
    const large = firstTooLarge(scanned);
    if (large !== null) return refused(large, [large]);
    const texts = await readAll(readable, scanned);
    const fingerprint = fingerprintOf(scanned);
    const after = fingerprintOf(await scanFolder(files, root));
    if (texts === null || fingerprint !== after) return { status: 'moving' };
    if ((await files.resolve(folder)) !== root) return { status: 'moving' };
    remember(readable, scanned, texts);
    return result(scanned, texts, fingerprint);
  } catch (error) {
    // Of what was there a moment ago. Whether the folder itself is, the next read tells.
    const isGone = error instanceof FileError && error.code === 'Missing';
    if (isGone && (await isThere(files, root))) return { status: 'moving' };
    throw error;
  }
}

async function isThere(files: Files, root: string): Promise<boolean> {
  return (await files.facts(root)).kind === 'folder';
}

/** Null: one of them is no longer what it was. Null for one: it is not text. */
async function readAll(
  readable: Readable,
  scanned: readonly ScannedFile[],
): Promise<readonly (string | null)[] | null> {
  const texts: (string | null)[] = [];
  try {
    for (let at = 0; at < scanned.length; at += readsAtOnce) {
      const some = scanned.slice(at, at + readsAtOnce);
      texts.push(...(await Promise.all(some.map((file) => readOne(readable, file)))));
    }
    return texts;
  } catch (error) {
    // It has grown since its size was taken.
    if (error instanceof FileError && error.code === 'TooLarge') return null;
    throw error;
  }
}

async function readOne({ files, root, before }: Readable, file: ScannedFile) {
  const known = before.get(file.path);
  if (known !== undefined && isSame(known.facts, file.facts)) return known.text;
  return textOf(await files.read(file.at, file.facts.bytes, root));
}

function remember(
  { before, trustedBefore }: Readable,
  scanned: readonly ScannedFile[],
  texts: readonly (string | null)[],
): void {
  before.clear();
  for (const [index, { path, facts }] of scanned.entries()) {
    const text = texts[index];
    if (typeof text === 'string' && facts.changedAt < trustedBefore) {
      before.set(path, { facts, text });
    }
  }
}

function result(
  scanned: readonly ScannedFile[],
  texts: readonly (string | null)[],
  fingerprint: string,
): FolderRead {
  const files: FoundFile[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const [index, { path, names, facts }] of scanned.entries()) {
    const text = texts[index] ?? null;
    const { changedAt } = facts;
    if (text !== null) files.push({ path, text, names, key: keyOf(facts), changedAt });
    else if (diagnostics.length < documentLimits.diagnosticsMax) diagnostics.push(notUtf8(path));
  }
  const [first] = diagnostics;
  return first === undefined ? { status: 'read', files, fingerprint } : refused(first, diagnostics);
}

function refused(first: Diagnostic, diagnostics: readonly Diagnostic[]): FolderRead {
  const code = first.code === 'NotUtf8' ? 'NotUtf8' : 'TooLarge';
  return { status: 'failed', code, message: `${first.file}: ${first.message}`, diagnostics };
}

function firstTooLarge(scanned: readonly ScannedFile[]): Diagnostic | null {
  let bytes = 0;
  for (const { path, facts } of scanned) {
    bytes += facts.bytes;
    if (bytes > documentLimits.bundleBytesMax) return tooLarge(path);
  }
  return null;
}

function isSame(one: FileFacts, other: FileFacts): boolean {
  return keyOf(one) === keyOf(other);
}

function keyOf({ identity, bytes, changedAt }: FileFacts): string {
  return `${identity} ${bytes} ${changedAt}`;
}

function fingerprintOf(scanned: readonly ScannedFile[]): string {
  return scanned.map(({ path, facts }) => `${path}\0${keyOf(facts)}`).join('\n');
}
