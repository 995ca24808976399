/** Documents for tests, and what becomes of them. */
import { type Bundle, parseBundle } from '../../../src/documents/bundle.ts';
import type { Diagnostic } from '../../../src/documents/diagnostic.ts';
import type { PartitionName } from '../../../src/model/names.ts';

/** A document of kind Secondary that boots a kernel; `more` is further lines of its `spec`. */
export function secondaryDocument(name: string, ...more: readonly string[]): string {
  return documentOf('Secondary', name, [
    'vcpus: 1',
    'memory: 128MiB',
    'boot: { kernel: { file: vmlinuz } }',
    ...more,
  ]);
}

export function documentOf(kind: string, name: string, spec: readonly string[]): string {
  return [
    '---',
    'apiVersion: unnest.dev/v1',
    `kind: ${kind}`,
    'metadata:',
    `  name: ${name}`,
    'spec:',
    ...spec.map((line) => `  ${line}`),
    '',
  ].join('\n');
}

function parse(texts: readonly string[], partition: string | null) {
  const files = texts.map((text, index) => ({ path: `${index}.yaml`, text }));
  return parseBundle(files, partition as PartitionName | null);
}

export function bundleOf(texts: readonly string[], partition: string | null = null): Bundle {
  const parsed = parse(texts, partition);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.diagnostics, null, 2));
  return parsed.bundle;
}

export function diagnosticsOf(
  texts: readonly string[],
  partition: string | null = null,
): readonly Diagnostic[] {
  const parsed = parse(texts, partition);
  return parsed.ok ? [] : parsed.diagnostics;
}

/** `code line:column path` of each, which is what a reader looks for first. */
export function placesOf(texts: readonly string[], partition: string | null = null): string[] {
  return diagnosticsOf(texts, partition).map(({ code, line, column, path }) =>
    `${code} ${line}:${column} ${path}`.trimEnd(),
  );
}
