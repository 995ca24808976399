/**
 * A simulated host by its URI:
 *
 *   sim:FILE                 every file that a document names is there
 *   sim:FILE?files=listed    only those that FILE lists under "files": {"PARTITION": {"NAME": BYTES}}
 *
 * Instead of BYTES there can be {"bytes": BYTES, "digest": "sha256:..."}: without one, the digest of
 * a file is whatever a document says.
 *
 * FILE holds everything there is on the host and is made by the first change. No state directory is
 * needed, and no right but that to write FILE.
 */
import { access, constants } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { PartitionName } from '../../model/names.ts';
import { explainError, HostError } from '../host-error.ts';
import { type Lock, lockPartition } from '../local/lock.ts';
import type { Host, HostView } from '../ports.ts';
import { simulatedHost, simulatedView } from './host.ts';
import type { FilesMode } from './store.ts';
import { keepInFile } from './world-file.ts';

export interface SimulatedTarget {
  readonly uri: string;
  readonly partition: PartitionName;
}

export interface Open<T> {
  readonly host: T;
  close(): Promise<void>;
}

const scheme = 'sim:';

export function isSimulated(uri: string): boolean {
  return uri.startsWith(scheme);
}

export async function openSimulatedView({ uri }: SimulatedTarget): Promise<Open<HostView>> {
  const { path, files } = parseUri(uri);
  const host = simulatedView({ keeper: keepInFile(path), files });
  return { host, close: async () => undefined };
}

export async function openSimulatedHost({ uri }: SimulatedTarget): Promise<Open<Host>> {
  const { path, files } = parseUri(uri);
  const host = simulatedHost({ keeper: keepInFile(path), files });
  return { host, close: async () => undefined };
}

/** By the file and not by a state directory, for the file is all there is of this host. */
export function lockSimulated({ uri, partition }: SimulatedTarget): Promise<Lock> {
  return lockPartition(resolve(parseUri(uri).path), partition);
}

export interface Finding {
  readonly name: string;
  readonly status: 'ok' | 'warning' | 'failed';
  readonly finding: string;
  readonly mend: string | null;
}

export async function diagnoseSimulated({ uri }: SimulatedTarget): Promise<readonly Finding[]> {
  return [await checkReading(uri), await checkWriting(uri)];
}

async function checkReading(uri: string): Promise<Finding> {
  const check = { name: 'simulated host' } as const;
  try {
    const { path } = parseUri(uri);
    const { domains } = await keepInFile(path).read();
    const finding = `${path} holds ${domains.size} domains; no guest really runs`;
    return { ...check, status: 'ok', finding, mend: null };
  } catch (error) {
    const mend = 'mend the file, move it away, or name another with --host sim:FILE';
    return { ...check, status: 'failed', finding: explainError(error), mend };
  }
}

/** A change replaces the file, so its folder is what counts. */
async function checkWriting(uri: string): Promise<Finding> {
  const check = { name: 'permission' } as const;
  try {
    const folder = dirname(resolve(parseUri(uri).path));
    await access(folder, constants.W_OK);
    return { ...check, status: 'ok', finding: `${folder} can be written`, mend: null };
  } catch (error) {
    const mend = 'choose a file in a folder of your own';
    return { ...check, status: 'failed', finding: explainError(error), mend };
  }
}

function parseUri(uri: string): { readonly path: string; readonly files: FilesMode } {
  const [path = '', query, ...more] = uri.slice(scheme.length).split('?');
  const parameters = new URLSearchParams(query);
  const files = parameters.get('files') ?? 'any';
  parameters.delete('files');
  const known = files === 'any' || files === 'listed';
  if (path !== '' && known && parameters.size === 0 && more.length === 0) return { path, files };
  const message = `cannot use ${JSON.stringify(uri)}: expected sim:FILE or sim:FILE?files=listed`;
  throw new HostError('Unsupported', message);
}
