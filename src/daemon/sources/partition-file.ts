/**
 * One file of the operator's: a Partition document that is alone in it, and has its name. It is
 * read here and not by a worker, since whoever writes it rules the host; it is bounded all the same.
 */
import { parseBundle } from '../../documents/bundle.ts';
import { isKind } from '../../documents/collect.ts';
import type { Diagnostic } from '../../documents/diagnostic.ts';
import { documentLimits } from '../../documents/limits.ts';
import type { PartitionDocument } from '../../documents/partition-schema.ts';
import type { PlainDocument } from '../../documents/plain-document.ts';
import { notUtf8, textOf } from '../../documents/text-file.ts';
import type { PartitionName } from '../../model/names.ts';
import type { Files } from '../runtime.ts';
import { problemOf, type SourceProblemCode } from './source-error.ts';

/** As the operator has written it, and what it means. */
export interface DescribedPartition extends PlainDocument {
  readonly name: PartitionName;
  /** Checked, with its defaults. */
  readonly document: PartitionDocument;
}

export interface PartitionProblem {
  /** The name of the file in the folder; empty: the folder itself is meant. */
  readonly file: string;
  readonly code: SourceProblemCode | 'Invalid' | 'WrongName' | 'DuplicateName';
  readonly message: string;
  /** Of `Invalid`: all that is wrong. */
  readonly diagnostics: readonly Diagnostic[];
}

export type PartitionFile =
  | { readonly status: 'described'; readonly partition: DescribedPartition }
  | { readonly status: 'broken'; readonly problem: PartitionProblem };

const fileName = /^([^.].*)\.ya?ml$/;

/** The name that the partition in a file must have; null: it is no such file. */
export function stemOf(file: string): string | null {
  return fileName.exec(file)?.[1] ?? null;
}

/** Never rejects, unless by a mistake of ours. */
export async function readPartitionFile(
  files: Files,
  folder: string,
  file: string,
): Promise<PartitionFile> {
  try {
    const bytes = await files.read(`${folder}/${file}`, documentLimits.documentBytesMax);
    return parsePartitionFile(file, bytes);
  } catch (error) {
    const { code, message } = problemOf(error);
    return broken(file, code, message);
  }
}

function parsePartitionFile(file: string, bytes: Uint8Array): PartitionFile {
  const text = textOf(bytes);
  if (text === null) return invalid(file, [notUtf8(file)]);
  const parsed = parseBundle([{ path: file, text }], null);
  if (!parsed.ok) return invalid(file, parsed.diagnostics);
  const { documents, notYet } = parsed.bundle;
  if (notYet.length > 0) return invalid(file, notYet);
  const [placed] = documents.filter(isKind('Partition'));
  if (placed === undefined || documents.length > 1) {
    return broken(file, 'Invalid', `${file} has to hold one Partition and nothing else`);
  }
  const { name } = placed.document.metadata;
  if (name !== stemOf(file)) {
    return broken(file, 'WrongName', `${file} describes ${name}, which belongs in ${name}.yaml`);
  }
  const { document, source } = placed;
  return { status: 'described', partition: { name, file, value: source.value, document } };
}

function invalid(file: string, diagnostics: readonly Diagnostic[]): PartitionFile {
  const [first] = diagnostics;
  const message = first === undefined ? file : `${first.file}:${first.line}: ${first.message}`;
  return { status: 'broken', problem: { file, code: 'Invalid', message, diagnostics } };
}

function broken(file: string, code: PartitionProblem['code'], message: string): PartitionFile {
  return { status: 'broken', problem: { file, code, message, diagnostics: [] } };
}
