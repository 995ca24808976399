/** Every example is what its README says: valid, and planned on a host that has nothing yet. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { primaryPortDefault } from '../../src/channel/limits.ts';
import type { AgentSettings } from '../../src/cli/environment.ts';
import { run } from './cli/run.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const example = (...path: string[]) => join(root, 'examples', ...path);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'unnest-examples-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const host = () => `sim:${join(folder, 'host.json')}`;
const onHost = (...argv: string[]) => run([...argv, '--host', host()]);

test.each(['quickstart', 'database', 'fleet', 'dry-run', 'first-boot', 'gitops', 'kubernetes'])(
  '%s says what it is for',
  (name) => {
    const readme = readFileSync(example(name, 'README.md'), 'utf8');
    expect(readme).toMatch(new RegExp(`^# ${name}\n\nPurpose: \\w`));
    for (const [, path = ''] of readme.matchAll(/ -f (examples\/\S+)/g)) {
      expect(existsSync(join(root, path))).toBe(true);
    }
  },
);

test.each([
  ['quickstart', ['quickstart'], ['web']],
  [
    'fleet',
    ['fleet', 'base', 'documents'],
    ['database', 'web-0', 'web-1', 'web-2', 'worker-0', 'worker-1'],
  ],
  ['dry-run', ['dry-run', 'documents'], ['web-0', 'web-1']],
  ['gitops', ['gitops', 'documents'], ['web-0', 'web-1']],
  [
    'database',
    ['database', 'documents'],
    // The network, and its packet filter.
    ['database', 'database', 'debian-12', 'db-data', 'db-root', 'db'],
  ],
  [
    'first-boot',
    ['first-boot', 'documents'],
    [
      'first-boot',
      'first-boot',
      'coreos',
      'debian-12',
      'core seed',
      'runner-0 seed',
      'runner-1 seed',
      'core-root',
      'runner-0-root',
      'runner-1-root',
      'core',
      'runner-0',
      'runner-1',
    ],
  ],
  ['demo', ['demo'], ['demo', 'demo', 'data', 'web', 'worker']],
  ['neighbour', ['demo', 'neighbour'], ['first']],
])('%s is valid, and makes what it says', async (name, path, names) => {
  const documents = example(...path);
  const valid = await run(['validate', '-f', documents]);
  expect(valid).toMatchObject({ code: 0, stderr: '' });
  const { code, stdout } = await onHost('plan', '-f', documents, '-p', name, '-o', 'json');
  // The neighbour asks for more than it has.
  expect(code).toBe(name === 'neighbour' ? 3 : 0);
  const { changes } = JSON.parse(stdout) as { changes: { name: string; action: string }[] };
  const made = changes.filter(({ action }) => action !== 'blocked');
  expect(made.map((change) => `${change.action} ${withoutDigest(change.name)}`)).toEqual(
    names.map((each) => `create ${each}`),
  );
});

/** Of a seed, which is named after what it holds. */
function withoutDigest(name: string): string {
  return name.replace(/\.[0-9a-f]{64}$/, ' seed');
}

describe('an agent', () => {
  /** How it would run, by such a command line. */
  async function settingsOf(words: readonly string[]): Promise<AgentSettings | null> {
    let settings: AgentSettings | null = null;
    const agent = async (given: AgentSettings) => void (settings = given);
    const [program = '', ...argv] = words;
    expect(basename(program)).toBe('unnest');
    expect(await run(argv, { agent })).toMatchObject({ code: 0, stderr: '' });
    return settings;
  }
  const vsock = { kind: 'vsock', port: primaryPortDefault };

  test('of gitops watches what git-sync swaps', async () => {
    const unit = readFileSync(example('gitops', 'unnest-agent.service'), 'utf8');
    const line = /^ExecStart=(.*)$/m.exec(unit)?.[1] ?? '';
    expect(await settingsOf(line.split(' '))).toEqual({
      host: vsock,
      runDir: '/run/unnest',
      group: 'adm',
      folder: '/srv/vms/current/documents',
      configureNic: false,
    });
    // What it needs: a port below 1024, and sockets of two families.
    expect(unit).toMatch(/^CapabilityBoundingSet=.*CAP_NET_BIND_SERVICE/m);
    expect(unit).toMatch(/^RestrictAddressFamilies=AF_UNIX AF_VSOCK$/m);
  });

  test('of gitops configures the NIC with a drop-in, and is else as it was', async () => {
    const unit = readFileSync(example('gitops', 'unnest-agent.service'), 'utf8');
    const dropIn = readFileSync(example('gitops', 'configure-nic.conf'), 'utf8');
    // The first one takes back that of the unit.
    const [none = '-', line = ''] = [...dropIn.matchAll(/^ExecStart=(.*)$/gm)].map(
      ([, given = '']) => given,
    );
    expect(none).toBe('');
    const before = /^ExecStart=(.*)$/m.exec(unit)?.[1] ?? '';
    const settings = await settingsOf(before.split(' '));
    expect(await settingsOf(line.split(' '))).toEqual({ ...settings, configureNic: true });
    // What it needs besides.
    expect(dropIn).toMatch(/^CapabilityBoundingSet=CAP_NET_ADMIN$/m);
    expect(dropIn).toMatch(/^RestrictAddressFamilies=AF_NETLINK$/m);
    const readme = readFileSync(example('gitops', 'README.md'), 'utf8');
    expect(readme).toContain('configure-nic.conf -t /etc/systemd/system/unnest-agent.service.d');
  });

  test('of kubernetes configures the NIC with a patch, and is else as it was', async () => {
    const patch = parse(readFileSync(example('kubernetes', 'configure-nic.yaml'), 'utf8')) as {
      spec: { template: { spec: PodSpec & { readonly hostNetwork: boolean } } };
    };
    const text = readFileSync(example('kubernetes', 'agent.yaml'), 'utf8');
    const daemonSet = parseAllDocuments(text).at(-1)?.toJS() as {
      spec: { template: { spec: PodSpec } };
    };
    const { hostNetwork, containers, volumes } = patch.spec.template.spec;
    const [agent] = containers;
    const [before] = daemonSet.spec.template.spec.containers;
    const settings = await settingsOf([...before.command, ...before.args]);
    expect(await settingsOf([...before.command, ...agent.args])).toEqual({
      ...settings,
      configureNic: true,
    });
    expect([hostNetwork, agent.name]).toEqual([true, before.name]);
    expect(agent.securityContext.capabilities.add).toEqual([
      ...before.securityContext.capabilities.add,
      'NET_ADMIN',
    ]);
    expect(agent.volumeMounts.every(({ readOnly }) => readOnly === true)).toBe(true);
    expect(agent.volumeMounts.map(({ name }) => name)).toEqual(volumes.map(({ name }) => name));
  });

  test('of kubernetes watches where the ConfigMap is, whose documents are valid', async () => {
    const text = readFileSync(example('kubernetes', 'agent.yaml'), 'utf8');
    const documents: unknown = parseAllDocuments(text).map((each) => each.toJS() as unknown);
    const [, config, daemonSet] = documents as [
      unknown,
      { data: Record<string, string> },
      { spec: { template: { spec: PodSpec } } },
    ];
    const stdin = Object.values(config.data).join('---\n');
    expect(await run(['validate', '-f', '-'], { stdin })).toMatchObject({ code: 0 });
    const { containers } = daemonSet.spec.template.spec;
    const [{ command, args, volumeMounts, securityContext }] = containers;
    const settings = await settingsOf([...command, ...args]);
    const writable = volumeMounts.filter(({ readOnly }) => readOnly !== true);
    expect(volumeMounts.map(({ mountPath }) => mountPath)).toContain(settings?.folder);
    expect(writable.map(({ mountPath }) => mountPath)).toEqual([settings?.runDir]);
    expect(securityContext.capabilities.add).toEqual(['NET_BIND_SERVICE']);
  });

  interface PodSpec {
    readonly volumes: readonly { readonly name: string }[];
    readonly containers: readonly [
      {
        readonly name: string;
        readonly command: readonly string[];
        readonly args: readonly string[];
        readonly volumeMounts: readonly {
          readonly name: string;
          readonly mountPath: string;
          readonly readOnly?: boolean;
        }[];
        readonly securityContext: { readonly capabilities: { readonly add: readonly string[] } };
      },
    ];
  }
});

describe('the fleet', () => {
  interface Patch {
    readonly target: { readonly kind: string; readonly name: string };
    readonly patch: string;
  }

  /** As much of kustomize as the overlay uses. */
  function overlaid(): string {
    const overlay = parse(
      readFileSync(example('fleet/overlays/large/kustomization.yaml'), 'utf8'),
    ) as {
      resources: string[];
      patches: Patch[];
    };
    const base = example('fleet/overlays/large', overlay.resources[0] ?? '');
    const { resources } = parse(readFileSync(join(base, 'kustomization.yaml'), 'utf8')) as {
      resources: string[];
    };
    expect(resources.map((path) => path.replace('documents/', '')).sort()).toEqual(
      readdirSync(join(base, 'documents')).sort(),
    );
    const documents = resources.map(
      (path) => parse(readFileSync(join(base, path), 'utf8')) as Json,
    );
    for (const { target, patch } of overlay.patches) {
      const found = documents.filter(
        ({ kind, metadata }) => kind === target.kind && (metadata as Json)['name'] === target.name,
      );
      expect(found).toHaveLength(1);
      for (const { op, path, value } of parse(patch) as {
        op: string;
        path: string;
        value: unknown;
      }[]) {
        const [, part = '', field = ''] = path.split('/');
        const at = found[0]?.[part] as Json;
        expect([op, field in at]).toEqual(['replace', true]);
        at[field] = value;
      }
    }
    return documents.map((document) => `---\n${stringify(document)}`).join('');
  }
  type Json = Record<string, unknown>;

  test('is larger with its overlay', async () => {
    const stdin = overlaid();
    const { stdout } = await run(['validate', '-f', '-'], { stdin });
    expect(stdout).toBe('Valid: 13 Secondaries.\n');
    const rendered = await run(['render', '-f', '-'], { stdin });
    expect(rendered.stdout).toMatch(/name: web-9 [^]*memory: 512MiB [^]*host=web-9/);
  });

  test('waits for its database', async () => {
    const { stdout } = await onHost('plan', '-f', example('fleet/base/documents'), '-p', 'fleet');
    expect(stdout).toContain('spec.startAfter: "database"');
  });
});

describe('review.sh', () => {
  beforeAll(() => {
    const main = `exec '${root}node_modules/.bin/tsx' '${root}src/bin/unnest.ts' "$@"`;
    writeFileSync(join(folder, 'unnest'), `#!/bin/sh\n${main}\n`);
    chmodSync(join(folder, 'unnest'), 0o755);
  });

  const review = (documents: string, uri = host()) => {
    const plan = join(folder, 'plan.json');
    const env = {
      PATH: `${folder}:${process.env['PATH']}`,
      UNNEST_HOST: uri,
      UNNEST_PARTITION: 'dry',
    };
    const { status, stdout } = spawnSync(example('dry-run/review.sh'), [documents, plan], {
      env,
      encoding: 'utf8',
    });
    return { status, stdout, plan };
  };

  test('shows what would change, then that nothing would', async () => {
    const documents = example('dry-run/documents');
    const before = review(documents);
    expect(before.status).toBe(0);
    expect(before.stdout).toMatch(/^This would change:\n\n```text\n[^]*Plan: 2 to create/);
    expect(JSON.parse(readFileSync(before.plan, 'utf8'))).toMatchObject({ partition: 'dry' });
    const applied = await onHost('apply', '-f', documents, '-p', 'dry');
    expect(applied.code).toBe(0);
    expect(review(documents)).toMatchObject({ status: 0, stdout: 'Nothing would change.\n' });
  }, 60_000);

  test('refuses documents that are not valid, and a host that does not answer', () => {
    const bad = join(folder, 'bad.yaml');
    writeFileSync(bad, 'kind: Pod\n');
    expect(review(bad)).toMatchObject({
      status: 1,
      stdout: expect.stringContaining('UnknownApiVersion'),
    });
    const nowhere = review(example('dry-run/documents'), 'qemu:///system?socket=/nowhere/sock');
    expect(nowhere.status).toBe(1);
    expect(nowhere.stdout).toContain('The host could not be asked (exit code 5');
  }, 60_000);
});
