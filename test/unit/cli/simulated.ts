/** A simulated host in a file of its own, and documents for it, for commands that need a host. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Ran, run, type Surroundings } from './run.ts';

export interface SimulatedPlace {
  readonly dir: string;
  readonly uri: string;
  readonly documents: string;
  readonly write: (...documents: readonly string[]) => void;
  /** With `--host` added. */
  readonly unnest: (argv: readonly string[], surroundings?: Surroundings) => Promise<Ran>;
  readonly dispose: () => void;
}

export function simulatedPlace(): SimulatedPlace {
  const dir = mkdtempSync(join(tmpdir(), 'unnest-cli-'));
  const uri = `sim:${join(dir, 'host.json')}`;
  const documents = join(dir, 'documents.yaml');
  return {
    dir,
    uri,
    documents,
    write: (...texts) => writeFileSync(documents, texts.join('')),
    unnest: (argv, surroundings) => run([...argv, '--host', uri], surroundings),
    dispose: () => rmSync(dir, { recursive: true }),
  };
}

export function diskDocument(name: string, more: readonly string[] = []): string {
  return [
    '---',
    'apiVersion: unnest.dev/v1',
    'kind: Secondary',
    `metadata: { name: ${name} }`,
    'spec:',
    '  vcpus: 1',
    '  memory: 128MiB',
    `  boot: { disk: { file: ${name}.img, format: raw } }`,
    ...more.map((line) => `  ${line}`),
    '',
  ].join('\n');
}
