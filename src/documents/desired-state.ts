/**
 * A bundle of documents to one partition's desired state: the end of YAML. Whoever calls this gets
 * either the whole state, defaulted and frozen, or every mistake there is, and never a part of it:
 * a bundle with one bad document changes nothing (invariant 6).
 */
import type { FileName, PartitionName, SecondaryName } from '../model/names.ts';
import type { Boot, DesiredState, Secondary } from '../model/secondary.ts';
import type { Diagnostic } from './diagnostic.ts';
import { documentLimits } from './limits.ts';
import type { SecondaryDocument } from './schema.ts';
import { parseSource, type SourceDocument, type SourceFile } from './source.ts';
import { validate } from './validate.ts';

export type Parsed =
  | { readonly ok: true; readonly desired: DesiredState }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

export function parseDocuments(files: readonly SourceFile[], partition: PartitionName): Parsed {
  const tooLarge = bundleTooLarge(files);
  if (tooLarge !== null) return { ok: false, diagnostics: [tooLarge] };
  const diagnostics: Diagnostic[] = [];
  const secondaries = new Map<SecondaryName, Secondary>();
  for (const file of files) {
    const parsed = parseSource(file);
    const found = parsed.documents.flatMap((source) => addDocument(source, secondaries));
    diagnostics.push(...[...parsed.diagnostics, ...found].sort(byPlace));
  }
  if (diagnostics.length > 0) {
    return { ok: false, diagnostics: diagnostics.slice(0, documentLimits.diagnosticsMax) };
  }
  return { ok: true, desired: Object.freeze({ partition, secondaries }) };
}

function byPlace(a: Diagnostic, b: Diagnostic): number {
  return a.line - b.line || a.column - b.column;
}

function bundleTooLarge(files: readonly SourceFile[]): Diagnostic | null {
  let length = 0;
  for (const file of files) {
    length += file.text.length;
    if (length <= documentLimits.bundleBytesMax) continue;
    return {
      code: 'TooLarge',
      file: file.path,
      line: 0,
      column: 0,
      path: '',
      message: `the documents are larger than ${documentLimits.bundleBytesMax} bytes together`,
      remedy: 'split them over several partitions',
      excerpt: null,
    };
  }
  return null;
}

function addDocument(
  source: SourceDocument,
  secondaries: Map<SecondaryName, Secondary>,
): readonly Diagnostic[] {
  const validated = validate(source);
  if (!validated.ok) return validated.diagnostics;
  const secondary = toSecondary(validated.document);
  if (secondaries.has(secondary.name)) {
    const message = `there is another Secondary named "${secondary.name}"`;
    return [source.complain('DuplicateName', ['metadata', 'name'], message)];
  }
  const sharer = secondary.boot.kind === 'disk' ? userOf(secondary.boot.file, secondaries) : null;
  secondaries.set(secondary.name, secondary);
  if (sharer === null) return [];
  const message = `Secondary "${sharer}" has the same disk, and two guests would destroy it`;
  return [source.complain('DiskInUse', ['spec', 'boot', 'disk', 'file'], message)];
}

function userOf(
  file: FileName,
  secondaries: ReadonlyMap<SecondaryName, Secondary>,
): SecondaryName | null {
  for (const { name, boot } of secondaries.values()) {
    if (boot.kind === 'disk' && boot.file === file) return name;
  }
  return null;
}

function toSecondary({ metadata, spec }: SecondaryDocument): Secondary {
  return Object.freeze({
    name: metadata.name,
    vcpus: spec.vcpus,
    memoryBytes: spec.memory,
    boot: toBoot(spec.boot),
    serialConsole: spec.serialConsole,
    runPolicy: spec.runPolicy,
    updatePolicy: spec.updatePolicy,
    stopGraceMs: spec.terminationGracePeriodSeconds * 1000,
    labels: new Map(Object.entries(metadata.labels ?? {})),
    protect: false,
    startAfter: [],
  });
}

function toBoot(boot: SecondaryDocument['spec']['boot']): Boot {
  if ('disk' in boot) return Object.freeze({ kind: 'disk', ...boot.disk });
  const { file, initrd, commandLine } = boot.kernel;
  return Object.freeze({ kind: 'kernel', kernel: file, initrd: initrd ?? null, commandLine });
}
