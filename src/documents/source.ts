/**
 * YAML in, plain values with places out. Most documents are read by the short way of plain-yaml.ts.
 * Where anything stands in a document is only found out when somebody asks.
 */
import type { Document } from 'yaml';
import { type Chunk, chunksOf } from './chunks.ts';
import type { Diagnostic, DiagnosticCode, SourcePlace } from './diagnostic.ts';
import { type FullDocument, readFullYaml } from './full-yaml.ts';
import { documentLimits } from './limits.ts';
import { type Lines, linesOf } from './lines.ts';
import { type Anchor, type DocumentPath, formatPath, offsetOf } from './paths.ts';
import { readPlainYaml } from './plain-yaml.ts';

export interface SourceFile {
  /** As shown to people; `-` for standard input. */
  readonly path: string;
  readonly text: string;
}

/** One YAML document: its value, and a way to say where any part of it stands. */
export interface SourceDocument {
  readonly file: string;
  readonly value: unknown;
  /** Where a part stands; for one that is missing, the nearest that is there. */
  placeOf(path: DocumentPath, anchor?: Anchor): SourcePlace;
  complain(
    code: DiagnosticCode,
    path: DocumentPath,
    message: string,
    options?: ComplainOptions,
  ): Diagnostic;
}

export interface ComplainOptions {
  readonly remedy?: string | null;
  readonly anchor?: Anchor;
  /** False: its line may hold a secret, and is not shown. */
  readonly excerpt?: boolean;
}

export interface ParsedSource {
  readonly documents: readonly SourceDocument[];
  readonly diagnostics: readonly Diagnostic[];
}

export function parseSource(file: SourceFile): ParsedSource {
  const lines = linesOf(file.text);
  const chunks = chunksOf(file.text);
  if (chunks.length > documentLimits.documentsMax) {
    const message = `more than ${documentLimits.documentsMax} documents`;
    return { documents: [], diagnostics: [complaint(file, lines, 0, 'TooLarge', '', message)] };
  }
  const documents: SourceDocument[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const chunk of chunks) {
    if (diagnostics.length >= documentLimits.diagnosticsMax) break;
    readChunk(chunk, file, lines, documents, diagnostics);
  }
  return { documents, diagnostics };
}

function readChunk(
  chunk: Chunk,
  file: SourceFile,
  lines: Lines,
  documents: SourceDocument[],
  diagnostics: Diagnostic[],
): void {
  if (chunk.text.length > documentLimits.documentBytesMax) {
    const message = `a document of more than ${documentLimits.documentBytesMax} bytes`;
    const remedy = 'begin each document with a line `---`';
    diagnostics.push(complaint(file, lines, chunk.offset, 'TooLarge', '', message, remedy));
    return;
  }
  // Twenty times as large as the text, and only looked at where there is a mistake to be placed.
  const again = lazily(() => readFullYaml(chunk.text));
  const nodesOf = (index: number) => () => nodesIn(again(), index);
  const plain = readPlainYaml(chunk.text);
  if (plain === null) return;
  if (plain !== undefined) {
    documents.push(located(plain, nodesOf(0), chunk, file, lines));
    return;
  }
  for (const [index, read] of readFullYaml(chunk.text).entries()) {
    if (!read.ok) {
      for (const { offset, code, message, remedy } of read.problems) {
        const at = chunk.offset + offset;
        diagnostics.push(complaint(file, lines, at, code, '', message, remedy));
      }
      // Nothing between two `---` is nothing, not a mistake.
    } else if (read.value !== null) {
      documents.push(located(read.value, nodesOf(index), chunk, file, lines));
    }
  }
}

/** What was plain enough for the short way is one valid document for the long one. */
function nodesIn(documents: readonly FullDocument[], index: number): Document.Parsed {
  const read = documents[index];
  if (read?.ok) return read.nodes;
  throw new Error('a document that cannot be read a second time');
}

function lazily<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

function located(
  value: unknown,
  nodes: () => Document.Parsed,
  chunk: Chunk,
  file: SourceFile,
  lines: Lines,
): SourceDocument {
  const at = (path: DocumentPath, anchor: Anchor) => chunk.offset + offsetOf(nodes(), path, anchor);
  return {
    file: file.path,
    value,
    placeOf: (path, anchor = 'value') => placeAt(file, lines, at(path, anchor)),
    complain: (code, path, message, { remedy = null, anchor = 'value', excerpt = true } = {}) => {
      const said = complaint(
        file,
        lines,
        at(path, anchor),
        code,
        formatPath(path),
        message,
        remedy,
      );
      return excerpt ? said : { ...said, excerpt: null };
    },
  };
}

function complaint(
  file: SourceFile,
  lines: Lines,
  offset: number,
  code: DiagnosticCode,
  path: string,
  message: string,
  remedy: string | null = null,
): Diagnostic {
  const place = placeAt(file, lines, offset);
  return { code, ...place, path, message, remedy, excerpt: lines.textOf(place.line) };
}

function placeAt({ path }: SourceFile, lines: Lines, offset: number): SourcePlace {
  return { file: path, ...lines.placeOf(offset) };
}
