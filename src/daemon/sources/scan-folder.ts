/**
 * Which files below a folder are documents, without looking into them. Names that begin with a dot
 * are passed over; a link is followed wherever it leads below the folder itself, also to such a
 * name, since that is how git-sync and the kubelet put a whole set of files in place. One that leads
 * out of the folder is refused: whoever may write there must not choose what the daemon reads.
 *
 * What cannot be looked at makes the whole scan fail: a part of the files would be taken for all.
 */
import { byName } from '../../model/names.ts';
import { documentLimits } from '../../documents/limits.ts';
import { type FileEntry, FileError, type FileFacts, type Files } from '../runtime.ts';
import { SourceError } from './source-error.ts';

/** How deep below the folder documents may be. */
const folderDepthMax = 8;
const filesMax = documentLimits.documentsMax;
/** With all that is no document: what a look at a folder may cost. */
const entriesMax = 2 * filesMax;
/** In one folder. */
const looksAtOnce = 32;
const documentName = /^[^.].*\.(?:ya?ml|json)$/;

export interface ScannedFile {
  /** Below the folder, for people. */
  readonly path: string;
  /** Where it is read from. */
  readonly at: string;
  /** Those that it is reached by: of every link, and last its own, with no link in its path. */
  readonly names: readonly string[];
  readonly facts: FileFacts;
}

interface Scan {
  readonly files: Files;
  readonly root: string;
  readonly found: ScannedFile[];
  entries: number;
}

/**
 * By path. @param root with no link in its path
 * @throws SourceError, or FileError as of `Files`
 */
export async function scanFolder(files: Files, root: string): Promise<readonly ScannedFile[]> {
  const scan: Scan = { files, root, found: [], entries: 0 };
  await scanBelow(scan, root, { path: '', depth: 0, links: [] });
  return scan.found.sort((a, b) => byName(a.path, b.path));
}

/** Where a scan is. */
interface Spot {
  /** Below the folder, for people. */
  readonly path: string;
  readonly depth: number;
  /** That were followed to come here. */
  readonly links: readonly string[];
}

/** @param real where the spot's path leads */
async function scanBelow(scan: Scan, real: string, spot: Spot): Promise<void> {
  const { path, depth } = spot;
  if (depth > folderDepthMax) {
    throw new SourceError('TooLarge', `${path} is deeper than ${folderDepthMax} folders`);
  }
  const entries = await scan.files.list(real);
  scan.entries += entries.length;
  if (scan.entries > entriesMax) {
    throw new SourceError('TooLarge', `there are more than ${entriesMax} files`);
  }
  const visible = entries.filter(({ name }) => !name.startsWith('.'));
  for (let at = 0; at < visible.length; at += looksAtOnce) {
    const some = visible.slice(at, at + looksAtOnce).map((entry) => {
      const below = path === '' ? entry.name : `${path}/${entry.name}`;
      return scanEntry(scan, entry, `${real}/${entry.name}`, { ...spot, path: below });
    });
    await Promise.all(some);
  }
}

async function scanEntry(scan: Scan, entry: FileEntry, at: string, spot: Spot): Promise<void> {
  switch (entry.kind) {
    case 'folder':
      return scanBelow(scan, at, { ...spot, depth: spot.depth + 1 });
    case 'file':
      return add(scan, spot, at, at, entry.name);
    case 'link':
      return followLink(scan, entry.name, at, spot);
    case 'other':
      if (!documentName.test(entry.name)) return;
      throw new SourceError('NotAFile', `${spot.path} is not a file`);
  }
}

async function followLink(
  scan: Scan,
  name: string,
  at: string,
  { path, depth, links }: Spot,
): Promise<void> {
  const followed = [...links, at];
  const real = await targetOf(scan, at, path, documentName.test(name));
  if (real === null) return;
  const { kind } = await scan.files.facts(real);
  if (kind === 'file') return add(scan, { path, depth, links: followed }, at, real, name);
  if (kind !== 'folder') throw new SourceError('NotAFile', `${path} is not a file`);
  // Then it would be gone round in circles, until the folders are too deep.
  if (`${at}/`.startsWith(`${real}/`)) {
    throw new SourceError('BadLink', `${path} is a link to a folder that it is in`);
  }
  return scanBelow(scan, real, { path, depth: depth + 1, links: followed });
}

/** Null: it leads nowhere, and has not the name of a document. */
async function targetOf(
  scan: Scan,
  at: string,
  path: string,
  isDocument: boolean,
): Promise<string | null> {
  let real: string;
  try {
    real = await scan.files.resolve(at);
  } catch (error) {
    if (!(error instanceof FileError) || error.code !== 'Missing') throw error;
    if (!isDocument) return null;
    throw new SourceError('BadLink', `${path} is a link that leads nowhere`);
  }
  if (real.startsWith(`${scan.root}/`) || real === scan.root) return real;
  throw new SourceError('BadLink', `${path} is a link that leads out of the folder`);
}

async function add(
  scan: Scan,
  { path, links }: Spot,
  at: string,
  real: string,
  name: string,
): Promise<void> {
  if (!documentName.test(name)) return;
  scan.found.push({ path, at, names: [...links, real], facts: await scan.files.facts(at) });
  if (scan.found.length > filesMax) {
    throw new SourceError('TooLarge', `there are more than ${filesMax} documents`);
  }
}
