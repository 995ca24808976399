import { describe, expect, test } from 'vitest';
import type { Diagnostic } from '../../../src/documents/diagnostic.ts';
import { parseDocuments } from '../../../src/documents/desired-state.ts';
import { documentLimits } from '../../../src/documents/limits.ts';
import type { PartitionName } from '../../../src/model/names.ts';
import type { Secondary } from '../../../src/model/secondary.ts';

const web = `apiVersion: unnest.dev/v1
kind: Secondary
metadata:
  name: web
spec:
  vcpus: 2
  memory: 512MiB
  boot:
    kernel:
      file: vmlinuz
      initrd: initrd.img
      commandLine: console=ttyS0
`;

function parse(...texts: string[]) {
  const files = texts.map((text, index) => ({ path: `${index}.yaml`, text }));
  return parseDocuments(files, 'team-a' as PartitionName);
}

function secondaries(...texts: string[]): Secondary[] {
  const parsed = parse(...texts);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.diagnostics, null, 2));
  return [...parsed.desired.secondaries.values()];
}

function mistakes(...texts: string[]): readonly Diagnostic[] {
  const parsed = parse(...texts);
  return parsed.ok ? [] : parsed.diagnostics;
}

/** `code line:column path` of each, which is what a reader looks for first. */
function places(...texts: string[]): string[] {
  return mistakes(...texts).map(({ code, line, column, path }) =>
    `${code} ${line}:${column} ${path}`.trimEnd(),
  );
}

describe('a valid document', () => {
  test('has its units resolved and its defaults filled in', () => {
    expect(secondaries(web)).toEqual([
      {
        name: 'web',
        vcpus: 2,
        memoryBytes: 536_870_912,
        boot: {
          kind: 'kernel',
          kernel: 'vmlinuz',
          initrd: 'initrd.img',
          commandLine: 'console=ttyS0',
        },
        disks: [],
        seed: null,
        network: 'None',
        slice: null,
        serialConsole: true,
        guestAgent: false,
        runPolicy: 'Always',
        updatePolicy: 'Staged',
        stopGraceMs: 30_000,
        forceStop: true,
        labels: new Map(),
        protect: false,
        startAfter: [],
        readiness: 'Running',
        readinessPort: null,
      },
    ]);
  });

  test('may boot from a disk, whose format is said and never guessed', () => {
    const disk = web.replace(/ {4}kernel:[^]*$/, '    disk: { file: root.img, format: raw }\n');
    expect(secondaries(disk)[0]?.boot).toEqual({ kind: 'disk', file: 'root.img', format: 'raw' });
    expect(places(disk.replace(', format: raw', ''))).toEqual([
      'MissingField 9:5 spec.boot.disk.format',
    ]);
  });

  test('may be one of many, in many files', () => {
    const db = web.replace('name: web', 'name: db');
    const api = web.replace('name: web', 'name: api');
    expect(secondaries(`${web}---\n${db}`, api).map(({ name }) => name)).toEqual([
      'web',
      'db',
      'api',
    ]);
  });

  test('may be a file of comments only, which holds nothing', () => {
    expect(secondaries('# nothing yet\n', '---\n---\n', '')).toEqual([]);
  });
});

describe('what is wrong is said with its place', () => {
  test.each([
    [
      'an unknown field',
      web.replace('vcpus: 2', 'vcpu: 2'),
      ['MissingField 5:1 spec.vcpus', 'UnknownField 6:3 spec.vcpu'],
    ],
    ['a size without unit', web.replace('512MiB', '512'), ['InvalidValue 7:11 spec.memory']],
    ['a decimal unit', web.replace('512MiB', '512MB'), ['InvalidValue 7:11 spec.memory']],
    ['too little memory', web.replace('512MiB', '1MiB'), ['InvalidValue 7:11 spec.memory']],
    [
      '2^53 bytes and more',
      web.replace('512MiB', '9999999999999TiB'),
      ['InvalidValue 7:11 spec.memory'],
    ],
    ['no vCPU', web.replace('vcpus: 2', 'vcpus: 0'), ['InvalidValue 6:10 spec.vcpus']],
    ['half a vCPU', web.replace('vcpus: 2', 'vcpus: 1.5'), ['InvalidValue 6:10 spec.vcpus']],
    [
      'not a number of vCPUs',
      web.replace('vcpus: 2', 'vcpus: .nan'),
      ['InvalidValue 6:10 spec.vcpus'],
    ],
    ['a text of vCPUs', web.replace('vcpus: 2', 'vcpus: "2"'), ['InvalidValue 6:10 spec.vcpus']],
    [
      'an upper-case name',
      web.replace('name: web', 'name: Web'),
      ['InvalidValue 4:9 metadata.name'],
    ],
    [
      'a path instead of a file',
      web.replace('file: vmlinuz', 'file: ../../etc/shadow'),
      ['InvalidValue 10:13 spec.boot.kernel.file'],
    ],
    [
      'two files of `..`',
      web.replace('file: vmlinuz', 'file: ..'),
      ['InvalidValue 10:13 spec.boot.kernel.file'],
    ],
    [
      'a line break in the command line',
      web.replace('console=ttyS0', '"a\\nb"'),
      ['InvalidValue 12:20 spec.boot.kernel.commandLine'],
    ],
    ['no boot', web.replace(/ {2}boot:[^]*$/, ''), ['MissingField 5:1 spec.boot']],
    [
      'an empty boot',
      web.replace(/ {2}boot:[^]*$/, '  boot: {}\n'),
      ['InvalidValue 8:3 spec.boot'],
    ],
    ['another kind', web.replace('kind: Secondary', 'kind: Secondery'), ['UnknownKind 2:7 kind']],
    [
      'another version',
      web.replace('unnest.dev/v1', 'unnest.dev/v2'),
      ['UnknownApiVersion 1:13 apiVersion'],
    ],
    ['a list', '- a\n', ['NotADocument 1:1']],
    ['a duplicate key', web.replace('  vcpus: 2', '  vcpus: 2\n  vcpus: 3'), ['DuplicateKey 7:3']],
    ['a tag', web.replace('512MiB', '!!binary aGVsbG8='), ['InvalidValue 7:20 spec.memory']],
    ['a tag of their own', web.replace('512MiB', '!secret aGVsbG8='), ['UnsupportedTag 7:11']],
    ['a key that is no text', web.replace('  vcpus: 2', '  ? [a]\n  : 2'), ['InvalidYaml 6:3']],
    ['a document that stops in a quote', web.replace('vmlinuz', '"vmlin'), ['InvalidYaml 13:1']],
    [
      'a prototype',
      web.replace('name: web', 'name: web\n  __proto__: { a: b }'),
      ['UnknownField 5:3'],
    ],
    [
      'a constructor as label',
      web.replace('name: web', 'name: web\n  labels: { __proto__: x }'),
      ['UnknownField 5:13'],
    ],
  ])('%s', (_what, text, expected) => {
    expect(places(text)).toEqual(expected);
  });

  test('all mistakes of all files at once', () => {
    const bad = web.replace('512MiB', '1GB').replace('vcpus: 2', 'vcpus: -1');
    expect(places(bad, web.replace('kind: Secondary', 'kind: Pod'))).toHaveLength(3);
  });

  test('a name used twice', () => {
    expect(places(web, web)).toEqual(['DuplicateName 4:9 metadata.name']);
  });

  test('a disk that two guests would write to', () => {
    const disk = web.replace(/ {4}kernel:[^]*$/, '    disk: { file: root.img, format: raw }\n');
    expect(places(disk, disk.replace('name: web', 'name: db'))).toEqual([
      'DiskInUse 9:19 spec.boot.disk.file',
    ]);
  });

  test('with the line, and with what was meant', () => {
    const [missing, unknown] = mistakes(web.replace('vcpus: 2', 'vcpu: 2'));
    expect(missing?.message).toContain('vcpus is missing');
    expect(unknown).toMatchObject({ excerpt: '  vcpu: 2', remedy: 'did you mean vcpus?' });
    const [policy] = mistakes(`${web}  runPolicy: always\n`);
    expect(policy).toMatchObject({ remedy: 'did you mean Always?' });
    expect(policy?.message).toBe(
      '"always" is not valid: expected Always, RerunOnFailure, Manual, Halted',
    );
  });
});

describe('hostile text is bounded', () => {
  test('aliases that would expand to billions', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let level = 1; level < 9; level++) {
      const uses = Array.from({ length: 10 }, () => `*a${level - 1}`).join(', ');
      lines.push(`a${level}: &a${level} [${uses}]`);
    }
    expect(places(lines.join('\n'))).toEqual(['TooManyAliases 1:1']);
  });

  test('nesting', () => {
    const depth = documentLimits.depthMax + 1;
    expect(places(`a: ${'['.repeat(depth)}${']'.repeat(depth)}`)[0]).toMatch(/^TooDeep/);
  });

  test('size', () => {
    const [first] = mistakes(`${web}#${'x'.repeat(documentLimits.bundleBytesMax)}`);
    expect(first?.code).toBe('TooLarge');
  });

  test('the number of documents', () => {
    const [first] = mistakes('---\n'.repeat(documentLimits.documentsMax + 2));
    expect(first?.code).toBe('TooLarge');
  });

  test('the number of mistakes reported', () => {
    const many = Array.from({ length: 1000 }, (_, i) => `---\n${web.replace('web', `W${i}`)}`);
    expect(mistakes(many.join(''))).toHaveLength(documentLimits.diagnosticsMax);
  });
});
