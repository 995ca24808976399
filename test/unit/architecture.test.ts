/**
 * Data flows one way: which folder of `src/` may import which. ARCHITECTURE.md draws the same
 * table. The pure folders import no `node:` module either; that they use no clock, no randomness
 * and no process is the linter's part.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const src = fileURLToPath(new URL('../../src', import.meta.url));

const pure = ['model', 'partition', 'documents', 'diff', 'plan'];
const oneWay = [...pure, 'host', 'observe', 'execute', 'report'];
const cliImports = [...oneWay, 'channel'];
/** `daemon` means the runtime and what its parts agree on; the loop wires the parts. */
const daemonImports = [...oneWay, 'daemon'];
const daemonParts = [
  'daemon/accepted',
  'daemon/sources',
  'daemon/worker',
  'daemon/watching',
  'channel',
];

/** `plan`: what is to be done is told, and not made here. */
const channelImports = ['model', 'documents', 'host', 'plan', 'report', 'daemon'];

/** Folder -> what it may import besides itself. `host` means the ports, `host/x` one adapter. */
const mayImport = new Map<string, readonly string[]>([
  ['model', []],
  ['libvirt', ['libvirt/wire']],
  ['libvirt/wire', []],
  ['partition', ['model']],
  ['documents', ['model']],
  ['diff', ['model', 'partition']],
  ['plan', ['model', 'partition', 'diff']],
  ['host', ['model']],
  ['host/libvirt', ['model', 'host', 'host/local', 'libvirt']],
  ['host/sandbox', ['host']],
  ['host/local', ['model', 'host', 'host/sandbox']],
  ['host/simulated', ['model', 'host', 'host/local']],
  ['observe', ['model', 'host']],
  ['execute', ['model', 'plan', 'host']],
  ['report', ['model', 'partition', 'documents', 'diff', 'plan']],
  ['daemon', [...daemonImports, ...daemonParts]],
  ['daemon/accepted', daemonImports],
  ['daemon/sources', daemonImports],
  ['daemon/worker', daemonImports],
  ['daemon/watching', daemonImports],
  ['daemon/machine', ['daemon', 'host', 'host/sandbox']],
  ['channel', channelImports],
  ['channel/agent', [...channelImports, 'channel']],
  ['cli', [...cliImports, 'cli/render', 'cli/commands', 'cli/explain']],
  ['cli/render', [...cliImports, 'cli', 'cli/explain']],
  ['cli/explain', ['cli/render', ...cliImports, 'cli']],
  ['cli/completion', ['cli']],
  ['cli/commands', [...cliImports, 'cli', 'cli/render', 'cli/explain', 'cli/completion']],
  [
    'bin',
    [
      'model',
      'host',
      'host/libvirt',
      'host/local',
      'host/sandbox',
      'host/simulated',
      'libvirt',
      'cli',
      'cli/render',
      'channel',
      'channel/agent',
      'report',
      'daemon',
      'daemon/worker',
      'daemon/machine',
    ],
  ],
]);

const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((f) =>
  f.endsWith('.ts'),
);

function importsOf(file: string): string[] {
  const text = readFileSync(join(src, file), 'utf8');
  return [...text.matchAll(/^(?:import|export)\b[^;]*?from '([^']+)'/gms)].map((m) => m[1] ?? '');
}

function folderOf(file: string): string {
  return dirname(file).split(sep).join('/');
}

describe('import direction', () => {
  test('there is something to check', () => {
    expect(files.length).toBeGreaterThan(10);
  });

  test.each(files)('%s', (file) => {
    const folder = folderOf(file);
    const allowed = mayImport.get(folder);
    expect(allowed, `src/${folder} is not in the table of this test`).toBeDefined();
    const targets = importsOf(file)
      .filter((name) => name.startsWith('.'))
      .map((name) => folderOf(relative(src, join(src, dirname(file), name))));
    expect(targets.filter((target) => ![folder, ...(allowed ?? [])].includes(target))).toEqual([]);
  });

  test.each(files.filter((file) => pure.includes(folderOf(file))))('%s is pure', (file) => {
    expect(importsOf(file).filter((name) => name.startsWith('node:'))).toEqual([]);
  });
});
