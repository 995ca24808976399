/** `-f FILE|DIR|-`: the bytes of documents, bounded and as text. What they mean is not known here. */
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Diagnostic } from '../documents/diagnostic.ts';
import { documentLimits } from '../documents/limits.ts';
import { type Bundle, parseBundle } from '../documents/bundle.ts';
import { parseDocuments } from '../documents/desired-state.ts';
import type { SourceFile } from '../documents/source.ts';
import type { PartitionName } from '../model/names.ts';
import type { DesiredState } from '../model/secondary.ts';
import { CommandError, usageError } from './command-error.ts';
import type { Environment } from './environment.ts';
import { exitCodes } from './exit-codes.ts';
import { renderDiagnostics } from './render/diagnostics.ts';
import { paintFor } from './render/paint.ts';

/** @throws CommandError `validation` after all that is wrong has been printed. */
export async function readDesiredState(
  sources: readonly string[],
  partition: PartitionName,
  environment: Environment,
): Promise<DesiredState> {
  const parsed = parseDocuments(await readFiles(sources, environment), partition);
  if (parsed.ok) return parsed.desired;
  throw refused(parsed.diagnostics, environment);
}

/**
 * For commands that only look at documents: also what is valid and cannot be acted on yet.
 * @param partition null where nobody named one
 * @throws CommandError `validation` after all that is wrong has been printed.
 */
export async function readBundle(
  sources: readonly string[],
  partition: PartitionName | null,
  environment: Environment,
): Promise<Bundle> {
  const parsed = parseBundle(await readFiles(sources, environment), partition);
  if (parsed.ok) return parsed.bundle;
  throw refused(parsed.diagnostics, environment);
}

async function readFiles(
  sources: readonly string[],
  environment: Environment,
): Promise<readonly SourceFile[]> {
  const { files, diagnostics } = await readSources(sources, environment);
  if (diagnostics.length > 0) throw refused(diagnostics, environment);
  return files;
}

/** Prints what is wrong, and says in the error only how much it is. */
function refused(diagnostics: readonly Diagnostic[], environment: Environment): CommandError {
  const { stderr, variables } = environment;
  stderr.write(`${renderDiagnostics(diagnostics, paintFor(stderr, variables))}\n`);
  const codes = new Set(diagnostics.map(({ code }) => code));
  const [first] = codes;
  return new CommandError(
    exitCodes.validation,
    `${countOf(diagnostics)} in the documents; nothing was done`,
    { remedy: `\`unnest explain ${codes.size === 1 ? first : 'CODE'}\` says more` },
  );
}

function countOf(diagnostics: readonly Diagnostic[]): string {
  const { length } = diagnostics;
  if (length === documentLimits.diagnosticsMax) return `${length} mistakes or more`;
  return `${length} ${length === 1 ? 'mistake' : 'mistakes'}`;
}

interface ReadSources {
  readonly files: readonly SourceFile[];
  readonly diagnostics: readonly Diagnostic[];
}

async function readSources(
  sources: readonly string[],
  environment: Environment,
): Promise<ReadSources> {
  if (sources.length === 0) {
    throw usageError('no documents were given', 'name them with -f FILE, -f DIRECTORY or -f -');
  }
  const files: SourceFile[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const path of (await Promise.all(sources.map(expand))).flat()) {
    const bytes = await readBytes(path, environment);
    const text = decode(bytes);
    if (text !== null) files.push({ path, text });
    else diagnostics.push(notUtf8(path));
  }
  return { files, diagnostics };
}

/** A directory stands for its own `*.yaml` and `*.yml`, by name; not for those below it. */
async function expand(source: string): Promise<readonly string[]> {
  if (source === '-') return [source];
  try {
    if (!(await stat(source)).isDirectory()) return [source];
    const names = (await readdir(source)).filter((name) => /^[^.].*\.ya?ml$/.test(name)).sort();
    if (names.length > 0) return names.map((name) => join(source, name));
  } catch (error) {
    throw unreadable(source, error);
  }
  throw usageError(`${source} holds no .yaml or .yml file`);
}

async function readBytes(path: string, environment: Environment): Promise<Uint8Array> {
  // One more than allowed, so that the documents' own limit has something to complain of.
  const bytesMax = documentLimits.bundleBytesMax + 1;
  if (path === '-') return environment.readStandardInput(bytesMax);
  try {
    const file = await open(path, 'r');
    try {
      const chunks: Uint8Array[] = [];
      let length = 0;
      for await (const chunk of file.createReadStream({ end: bytesMax - 1, autoClose: false })) {
        chunks.push(chunk as Uint8Array);
        length += (chunk as Uint8Array).length;
      }
      return Buffer.concat(chunks, length);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw unreadable(path, error);
  }
}

function decode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

function notUtf8(file: string): Diagnostic {
  const message = 'the file is not UTF-8 text';
  const place = { file, line: 0, column: 0, path: '', excerpt: null };
  return { ...place, code: 'NotUtf8', message, remedy: 'is it the right file?' };
}

function unreadable(path: string, cause: unknown): CommandError {
  return new CommandError(exitCodes.usage, `cannot read ${path}`, { cause });
}
