/** The daemon's configuration: all defaults, every field, and mistakes with place and remedy. */
import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { readConfig } from '../../../src/daemon/config.ts';
import { configSchemaFile, configSchemaText } from '../../../src/daemon/config-schema-file.ts';
import { configSchema } from '../../../src/daemon/config-schema.ts';
import { type JsonSchema, jsonSchemaFrom } from '../../../src/documents/json-schema.ts';
import type { Diagnostic } from '../../../src/documents/diagnostic.ts';

const header = 'apiVersion: unnest.dev/v1\nkind: DaemonConfig\n';

function configOf(text: string | null) {
  const read = readConfig(text);
  if (!read.ok) throw new Error(JSON.stringify(read.diagnostics));
  return read.config;
}

function diagnosticsOf(text: string): readonly Diagnostic[] {
  const read = readConfig(text, 'unnestd.yaml');
  return read.ok ? [] : read.diagnostics;
}

const defaults = {
  host: 'qemu:///system',
  stateDir: '/var/lib/unnest',
  partitionsDir: '/etc/unnest/partitions',
  desiredStateDir: '/etc/unnest/desired',
  runDir: '/run/unnest',
  statusDir: '/run/unnest/status',
  operatorGroup: 'unnest',
  operatorSocket: { kind: 'unix', path: '/run/unnest/operator.sock', mode: 0o660, group: 'unnest' },
  metrics: { kind: 'unix', path: '/run/unnest/metrics.sock', mode: 0o660, group: 'unnest' },
  channelPort: 1021,
  channelSockets: new Map(),
  resyncMs: 300_000,
  passesInFlightMax: 4,
  operationsInFlightMax: 4,
  retry: { attemptsMax: 10, delayMsMax: 300_000 },
  deletionsMax: 10,
  hostRules: {
    reserved: { vcpus: 0, memoryBytes: 2 ** 30 },
    overcommit: { vcpus: 1, memory: 1 },
  },
  consoleLogs: true,
  fetchCaFile: null,
  thinPool: null,
  logLevel: 'info',
};

describe('the configuration', () => {
  test.each([
    ['no file', null],
    ['an empty file', ''],
    ['nothing but comments', '# nothing is different here\n---\n'],
    ['nothing but a header', header],
    ['an empty spec', `${header}spec: {}\n`],
  ])('%s is all defaults', (_what, text) => {
    expect(configOf(text)).toEqual(defaults);
  });

  test('takes every field', () => {
    const spec = {
      host: 'qemu:///session',
      stateDir: '/srv/state',
      partitionsDir: '/srv/partitions',
      desiredStateDir: '/srv/desired',
      runDir: '/srv/run',
      operatorGroup: 'ops',
      metrics: { listen: 'loopback', port: 9000 },
      channel: { port: 700, sockets: { 'team-a': '/srv/vms/team-a/v.sock' } },
      resyncSeconds: 60,
      passesInFlightMax: 2,
      operationsInFlightMax: 8,
      retry: { attemptsMax: 3, delaySecondsMax: 30 },
      hostReserved: { vcpus: 1, memory: '2GiB' },
      overcommit: { vcpus: 1.15, memory: 1.5 },
      maxDeletions: 0,
      consoleLogs: false,
      fetch: { caFile: '/etc/unnest/mirror.pem' },
      store: { thinPool: { group: 'vg0', pool: 'thin' } },
      logLevel: 'debug',
    };
    // JSON is YAML.
    expect(configOf(`${header}spec: ${JSON.stringify(spec)}\n`)).toEqual({
      host: 'qemu:///session',
      stateDir: '/srv/state',
      partitionsDir: '/srv/partitions',
      desiredStateDir: '/srv/desired',
      runDir: '/srv/run',
      statusDir: '/srv/run/status',
      operatorGroup: 'ops',
      operatorSocket: { kind: 'unix', path: '/srv/run/operator.sock', mode: 0o660, group: 'ops' },
      metrics: { kind: 'loopback', port: 9000 },
      channelPort: 700,
      channelSockets: new Map([['team-a', '/srv/vms/team-a/v.sock']]),
      resyncMs: 60_000,
      passesInFlightMax: 2,
      operationsInFlightMax: 8,
      retry: { attemptsMax: 3, delayMsMax: 30_000 },
      deletionsMax: 0,
      hostRules: {
        reserved: { vcpus: 1, memoryBytes: 2 ** 31 },
        overcommit: { vcpus: 1.15, memory: 1.5 },
      },
      consoleLogs: false,
      fetchCaFile: '/etc/unnest/mirror.pem',
      thinPool: { group: 'vg0', pool: 'thin' },
      logLevel: 'debug',
    });
  });

  test.each([
    ['none', null],
    ['loopback', { kind: 'loopback', port: 9464 }],
  ])('metrics may be told %s', (listen, address) => {
    expect(configOf(`${header}spec: { metrics: { listen: ${listen} } }\n`).metrics).toEqual(
      address,
    );
  });
});

describe('mistakes are told', () => {
  test('all at once, each with its place, its line and what was meant', () => {
    const text = `${header}spec:\n  statedir: /srv\n  resyncSeconds: 5\n  logLevel: inform\n`;
    expect(diagnosticsOf(text)).toMatchObject([
      {
        code: 'InvalidValue',
        file: 'unnestd.yaml',
        line: 5,
        column: 18,
        path: 'spec.resyncSeconds',
        message: '5 is not valid: expected a whole number from 10 to 86400',
        excerpt: '  resyncSeconds: 5',
      },
      { code: 'InvalidValue', line: 6, path: 'spec.logLevel', remedy: 'did you mean info?' },
      { code: 'UnknownField', line: 4, column: 3, remedy: 'did you mean stateDir?' },
    ]);
  });

  test.each([
    ['a list', '- a\n', 'NotADocument', 1],
    ['another version', 'apiVersion: v2\nkind: DaemonConfig\n', 'UnknownApiVersion', 1],
    ['another kind', 'apiVersion: unnest.dev/v1\nkind: Partition\n', 'UnknownKind', 2],
    ['a kind misspelt', 'apiVersion: unnest.dev/v1\nkind: DeamonConfig\n', 'UnknownKind', 2],
    ['two documents', `${header}---\n${header}`, 'DuplicateName', 4],
    ['no YAML', 'a: [\n', 'InvalidYaml', 2],
    ['a port without loopback', `${header}spec: { metrics: { port: 80 } }\n`, 'InvalidValue', 3],
  ])('%s', (_what, text, code, line) => {
    expect(diagnosticsOf(text)).toMatchObject([{ code, line }]);
  });

  test('a configuration that is far too large is not looked into', () => {
    expect(diagnosticsOf(`#${' '.repeat(2 ** 20)}`)).toMatchObject([{ code: 'TooLarge', line: 0 }]);
  });

  test.each(['relative', '/', '/a/', '//a', '/a/../b', '/a/./b', '/a/..', '"/a\\nb"', '""'])(
    'of %s as a path',
    (path) => {
      expect(diagnosticsOf(`${header}spec: { stateDir: ${path} }\n`)).toMatchObject([
        { code: 'InvalidValue', path: 'spec.stateDir' },
      ]);
    },
  );

  test.each([0.99, 1.005, 100.01, '"2"', '.inf', '.nan', 1e-7])('of %s as a factor', (factor) => {
    expect(diagnosticsOf(`${header}spec: { overcommit: { vcpus: ${factor} } }\n`)).toMatchObject([
      { code: 'InvalidValue', path: 'spec.overcommit.vcpus' },
    ]);
  });

  test.each([1, 1.1, 1.15, 2.3, 99.99, 100])('and %s is none', (factor) => {
    const text = `${header}spec: { overcommit: { memory: ${factor} } }\n`;
    expect(configOf(text).hostRules.overcommit).toEqual({ vcpus: 1, memory: factor });
  });

  test('of a folder too deep for a socket', () => {
    const text = `${header}spec: { runDir: /${'x'.repeat(80)} }\n`;
    expect(diagnosticsOf(text)).toMatchObject([{ path: 'spec.runDir' }]);
  });

  test.each(['/..a', '/a..', '/.a/...', '/a b/é'])('and not of %s as a path', (path) => {
    expect(configOf(`${header}spec: { stateDir: "${path}" }\n`).stateDir).toBe(path);
  });

  test.each([
    ['runDir', '/etc/unnest/partitions/run'],
    ['runDir', '/etc/unnest/desired'],
    ['runDir', '/etc/unnest/desired/team-a/status'],
    ['runDir', '/etc/unnest'],
    ['runDir', '/var/lib/unnest/run'],
    ['stateDir', '/etc/unnest/desired/state'],
    ['partitionsDir', '/etc/unnest/desired/partitions'],
    ['partitionsDir', '/var/lib/unnest/partitions'],
    ['desiredStateDir', '/run/unnest/status/desired'],
  ])('at the field that somebody wrote, where %s is %s', (field, path) => {
    const diagnostics = diagnosticsOf(`${header}spec:\n  ${field}: ${path}\n`);
    expect(diagnostics.length).toBeGreaterThan(0);
    for (const each of diagnostics) {
      expect(each).toMatchObject({ code: 'InvalidValue', path: `spec.${field}`, line: 4 });
      expect(each.message).toContain(path);
    }
  });

  test('and not where only the letters begin alike', () => {
    const text = `${header}spec: { runDir: /etc/unnest/desired-run }\n`;
    expect(configOf(text).statusDir).toBe('/etc/unnest/desired-run/status');
  });
});

test('README has every field with its default', () => {
  const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
  const operating = readme.slice(
    readme.indexOf('\n## Operating'),
    readme.indexOf('\n## The libvirt client'),
  );
  const table = operating.slice(operating.indexOf('| Field |'));
  const rows = [...table.matchAll(/^\| `([\w.]+)` \| (?:`(.*?)`)? \|/gm)];
  const { spec } = jsonSchemaFrom(configSchema).properties as Record<string, JsonSchema>;
  expect(new Map(rows.map(([, name, fallback]) => [name, fallback]))).toEqual(
    new Map(defaultsIn(spec)),
  );
});

function defaultsIn(schema: JsonSchema | undefined, at = ''): [string, string | undefined][] {
  return Object.entries(schema?.properties ?? {}).flatMap(([name, child]) => {
    const { properties } = child as JsonSchema;
    // Of what has no fields of its own.
    const { default: fallback } = child as { readonly default?: string | number };
    if (properties !== undefined) return defaultsIn(child as JsonSchema, `${at}${name}.`);
    return [[`${at}${name}`, fallback?.toString()]];
  });
}

describe('schemas/DaemonConfig.json', () => {
  const stored = readFileSync(
    new URL(`../../../schemas/${configSchemaFile}`, import.meta.url),
    'utf8',
  );
  const check = new Ajv({ strict: true, strictTypes: false }).compile(JSON.parse(stored) as object);

  test('is what `npm run schemas` writes', () => {
    expect(stored).toBe(configSchemaText());
  });

  test('is of one mind with the configuration', () => {
    const document = { apiVersion: 'unnest.dev/v1', kind: 'DaemonConfig' };
    expect(check({ ...document, spec: { metrics: { listen: 'none' } } })).toBe(true);
    expect(check(document)).toBe(true);
    for (const spec of [{ stateDir: 'relative' }, { nothing: 1 }, { resyncSeconds: 5 }]) {
      expect(check({ ...document, spec })).toBe(false);
    }
  });
});
