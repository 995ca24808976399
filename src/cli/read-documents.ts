/** `-f FILE|DIR|-`: the bytes of documents, bounded and as text. What they mean is not known here. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Diagnostic } from '../documents/diagnostic.ts';
import { documentLimits } from '../documents/limits.ts';
import { type Bundle, parseBundle } from '../documents/bundle.ts';
import { parseBeside } from '../documents/desired-state.ts';
import type { SourceFile } from '../documents/source.ts';
import { notUtf8, textOf, tooLarge } from '../documents/text-file.ts';
import type { PartitionName } from '../model/names.ts';
import type { DesiredState } from '../model/secondary.ts';
import { CommandError, usageError } from './command-error.ts';
import type { Environment } from './environment.ts';
import { exitCodes } from './exit-codes.ts';
import type { Limits } from './pass.ts';
import type { Place } from './place.ts';
import { givenUp, readBytes } from './read-bytes.ts';
import { renderDiagnostics } from './render/diagnostics.ts';
import { paintFor } from './render/paint.ts';

/** @throws CommandError `validation` after all that is wrong has been printed. */
export async function readDesiredState(
  sources: readonly string[],
  { partition, operators }: Pick<Place, 'partition' | 'operators'>,
  environment: Environment,
  limits: Limits,
): Promise<DesiredState> {
  const files = await readFiles(sources, environment, limits);
  const parsed = parseBeside(files, partition, operators);
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
  limits: Limits,
): Promise<Bundle> {
  const parsed = parseBundle(await readFiles(sources, environment, limits), partition);
  if (parsed.ok) return parsed.bundle;
  throw refused(parsed.diagnostics, environment);
}

/** @throws CommandError `validation` for what is no text, or too much of it */
export async function readFiles(
  sources: readonly string[],
  environment: Environment,
  limits: Limits,
): Promise<readonly SourceFile[]> {
  const { files, diagnostics } = await readSources(sources, environment, limits);
  if (diagnostics.length > 0) throw refused(diagnostics, environment);
  return files;
}

/** Prints what is wrong, and says in the error only how much it is. */
export function refused(
  diagnostics: readonly Diagnostic[],
  environment: Environment,
): CommandError {
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
  limits: Limits,
): Promise<ReadSources> {
  if (sources.length === 0) {
    throw usageError('no documents were given', 'name them with -f FILE, -f DIRECTORY or -f -');
  }
  const files: SourceFile[] = [];
  const diagnostics: Diagnostic[] = [];
  let bytesLeft = documentLimits.bundleBytesMax + 1;
  for (const path of (await Promise.all(sources.map(expand))).flat()) {
    const bytes = await readSource(path, bytesLeft, environment, limits);
    bytesLeft -= bytes.length;
    // What was cut off must not be taken for what is wanted: the rest would be deleted.
    if (bytesLeft === 0) return { files, diagnostics: [...diagnostics, tooLarge(path)] };
    const text = textOf(bytes);
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

async function readSource(
  path: string,
  bytesMax: number,
  { readStandardInput }: Environment,
  limits: Limits,
): Promise<Uint8Array> {
  if (path !== '-') return readBytes(path, bytesMax, limits);
  return givenUp('standard input', limits, () => readStandardInput(bytesMax, limits.stop));
}

function unreadable(path: string, cause: unknown): CommandError {
  return new CommandError(exitCodes.usage, `cannot read ${path}`, { cause });
}
