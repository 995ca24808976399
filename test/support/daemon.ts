/**
 * A real `unnestd` process, as built, in a folder of the test's own, beside the libvirtd of the rig.
 * What a test knows of it is what an operator could know: its log, its status files, its API, its
 * metrics and its exit code.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type DaemonClient, daemonClient } from '../../src/channel/client.ts';
import { unixTransport } from '../../src/channel/client-transport.ts';
import type { PartitionStatus } from '../../src/report/partition-status.ts';
import { removeDomainsOf } from './partition-domains.ts';
import { until } from './until.ts';

const daemonProgram = fileURLToPath(new URL('../../dist/bin/unnestd.js', import.meta.url));

/** One line of its log. */
export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly event?: string;
  readonly [field: string]: unknown;
}

export interface RealDaemon {
  readonly pid: number;
  readonly api: DaemonClient;
  /** So far; of one kind of event, if one is named. */
  lines(event?: string): readonly LogLine[];
  /** Off its metrics socket. */
  metrics(): Promise<string>;
  /** @returns its exit code; null: a signal has ended it */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>;
}

export interface DaemonPlace {
  readonly at: (path: string) => string;
  /**
   * Describes a partition to the operator's daemon, and gives it the files of the guest kit.
   * @param more fields of its spec
   */
  describe(partition: string, source?: 'Directory' | 'Apply', more?: object): void;
  /** Puts a file into a partition's folder of documents, by rename, as careful writers do. */
  write(partition: string, text: string, file?: string): void;
  start(): Promise<RealDaemon>;
  /** As the status file says; null: there is none. */
  status(partition: string): PartitionStatus | null;
  /** Ends what still runs, at once. */
  end(): Promise<void>;
  /** That, and leaves nothing of these partitions on the host. */
  dispose(): Promise<void>;
}

export interface PlaceOptions {
  /** Further lines of the configuration. */
  readonly spec?: readonly string[];
  readonly logLevel?: 'debug' | 'info';
  /** Default: the one for temporary files, which in the rig is in memory. */
  readonly folder?: string;
  /** Default: one of its own. */
  readonly stateDir?: string;
}

export function daemonPlace(options: PlaceOptions = {}): DaemonPlace {
  const { spec = [], logLevel = 'debug', folder = tmpdir() } = options;
  const root = mkdtempSync(join(folder, 'unnestd-'));
  // As QEMU has to get there, and the sandbox.
  chmodSync(root, 0o755);
  const at = (path: string) => join(root, path);
  const stateDir = options.stateDir ?? at('state');
  for (const folder of ['partitions', 'desired', 'state', 'run']) mkdirSync(at(folder));
  writeFileSync(
    at('unnestd.yaml'),
    configText(root, [`stateDir: ${stateDir}`, `logLevel: ${logLevel}`, ...spec]),
  );
  const partitions = new Set<string>();
  const daemons: RealDaemon[] = [];
  const end = async () => {
    await Promise.all(daemons.map((daemon) => daemon.end('SIGKILL')));
  };
  return {
    end,
    at,
    describe: (partition, source = 'Directory', more = {}) => {
      partitions.add(partition);
      mkdirSync(at(`desired/${partition}`), { recursive: true });
      addKit(join(stateDir, partition, 'files'));
      swapIn(at('partitions'), `${partition}.yaml`, partitionText(partition, { source, ...more }));
    },
    write: (partition, text, file = 'all.yaml') => {
      for (const [, disk = ''] of text.matchAll(/file: (\S+\.img), format/g)) {
        writeFileSync(join(stateDir, partition, 'files', disk), Buffer.alloc(2 ** 20));
      }
      swapIn(at(`desired/${partition}`), file, text);
    },
    start: async () => {
      const daemon = await startDaemon(at('unnestd.yaml'), at('run/operator.sock'), at('run'));
      daemons.push(daemon);
      return daemon;
    },
    status: (partition) => {
      const path = at(`run/status/${partition}.json`);
      if (!existsSync(path)) return null;
      return JSON.parse(readFileSync(path, 'utf8')) as PartitionStatus;
    },
    dispose: async () => {
      await end();
      for (const partition of partitions) await removeDomainsOf(partition);
      rmSync(root, { recursive: true, force: true });
    },
  };
}

function configText(root: string, spec: readonly string[]): string {
  return [
    'apiVersion: unnest.dev/v1',
    'kind: DaemonConfig',
    'spec:',
    `  partitionsDir: ${root}/partitions`,
    `  desiredStateDir: ${root}/desired`,
    `  runDir: ${root}/run`,
    '  operatorGroup: root',
    ...spec.map((line) => `  ${line}`),
    '',
  ].join('\n');
}

function partitionText(partition: string, spec: object): string {
  const head = `apiVersion: unnest.dev/v1\nkind: Partition\nmetadata: { name: ${partition} }\n`;
  // JSON is YAML.
  return `${head}spec: ${JSON.stringify(spec)}\n`;
}

function addKit(files: string): void {
  mkdirSync(files, { recursive: true });
  const kit = process.env['UNNEST_GUEST_KIT'] ?? '';
  for (const file of ['vmlinuz', 'initrd.img']) copyFileSync(join(kit, file), join(files, file));
}

function swapIn(folder: string, file: string, text: string): void {
  writeFileSync(join(folder, `.${file}.new`), text);
  renameSync(join(folder, `.${file}.new`), join(folder, file));
}

async function startDaemon(config: string, socket: string, runDir: string): Promise<RealDaemon> {
  const child = spawn(process.execPath, [daemonProgram, '--config', config]);
  const { pid } = child;
  if (pid === undefined) throw new Error('unnestd could not be started');
  const ended = once(child, 'close').then(([code]) => code as number | null);
  const [lines, errors]: [LogLine[], string[]] = [[], []];
  createInterface(child.stdout).on('line', (line) => lines.push(JSON.parse(line) as LogLine));
  child.stderr.setEncoding('utf8').on('data', (text: string) => errors.push(text));
  const api = daemonClient(unixTransport(socket));
  await until('unnestd answers', async () => {
    if (child.exitCode !== null) throw new Error(`unnestd has ended: ${errors.join('')}`);
    return answers(api);
  });
  return {
    pid,
    api,
    lines: (event) => lines.filter((line) => event === undefined || line.event === event),
    metrics: () => textAt(join(runDir, 'metrics.sock'), '/metrics'),
    end: (signal) => {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      return ended;
    },
  };
}

function answers(api: DaemonClient): Promise<boolean> {
  return api.about(AbortSignal.timeout(5000)).then(
    () => true,
    () => false,
  );
}

function textAt(socketPath: string, path: string): Promise<string> {
  return new Promise((done, fail) => {
    const asking = get({ socketPath, path, agent: false }, (response) => {
      const chunks: string[] = [];
      response.setEncoding('utf8').on('data', (text: string) => chunks.push(text));
      response.on('end', () => done(chunks.join(''))).on('error', fail);
    });
    asking.on('error', fail);
  });
}
