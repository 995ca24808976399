#!/usr/bin/env node
/** The `unnestd` program: reads its configuration and wires the machine's adapters to the daemon. */
import { existsSync, readFileSync } from 'node:fs';
import { Command } from 'commander';
import { exitCodes } from '../cli/exit-codes.ts';
import { renderDiagnostics } from '../cli/render/diagnostics.ts';
import { plain } from '../cli/render/paint.ts';
import { CONFIG_PATH, type DaemonConfig, readConfig } from '../daemon/config.ts';
import { startDaemon } from '../daemon/daemon.ts';
import { logDestinationOf } from '../daemon/machine/log-destination.ts';
import { imageFetcher } from '../daemon/machine/image-fetcher.ts';
import { machineRuntime } from '../daemon/machine/machine-runtime.ts';
import { systemdNotify } from '../daemon/machine/notify.ts';
import { workerSpawner } from '../daemon/machine/spawn-worker.ts';
import { systemFolders } from '../host/sandbox/programs.ts';
import { openDocumentParser } from '../daemon/worker/document-parser.ts';
import { explainError } from '../host/host-error.ts';
import { openLibvirtHosts } from '../host/libvirt/daemon-hosts.ts';
import { newInstallationId } from '../host/local/installation.ts';
import { lockPartition } from '../host/local/lock.ts';
import { localFetchPlaces, localWorkerPlaces } from '../host/local/worker-places.ts';
import { version } from './version.ts';

const program = new Command('unnestd')
  .description('makes the partitions of this host as their documents say, and keeps them so')
  .version(version)
  .option(
    '--config <file>',
    'the configuration; without one everything is as by default',
    CONFIG_PATH,
  )
  .option('--check', 'look at the configuration, and end')
  .parse();

// Whoever makes a file says who may read it.
process.umask(0);
const { config: path, check } = program.opts<{ config: string; check?: true }>();
const config = configFrom(path);
if (config === null) process.exitCode = exitCodes.validation;
else if (check === true) process.stdout.write(`${checkWords(path)}\n`);
else await run(config).catch(giveUp);

function checkWords(file: string): string {
  return existsSync(file) ? `${file} is valid` : `there is no ${file}: everything is as by default`;
}

function configFrom(file: string): DaemonConfig | null {
  const read = readConfig(textOf(file), file);
  if (read.ok) return read.config;
  process.stderr.write(renderDiagnostics(read.diagnostics, plain));
  return null;
}

/** Of a file that was not named and is not there everything is as by default. */
function textOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (isMissing && program.getOptionValueSource('config') === 'default') return null;
    process.stderr.write(`error: ${explainError(error)}\n`);
    process.exit(exitCodes.usage);
  }
}

/** Nobody could ask anything of a daemon that could not open its sockets. */
function giveUp(error: unknown): never {
  process.stderr.write(`error: ${explainError(error)}\n`);
  process.exit(exitCodes.unreachable);
}

async function run(of: DaemonConfig): Promise<void> {
  const runtime = machineRuntime();
  const ending = new AbortController();
  // One for all partitions: those that begin together on a new host would each record another.
  const installation = newInstallationId();
  const worker = { program: new URL('unnest-worker.js', import.meta.url).pathname };
  const daemon = await startDaemon({
    version,
    runtime,
    config: of,
    parser: openDocumentParser(
      workerSpawner({ ...worker, folders: systemFolders }),
      localWorkerPlaces(of.stateDir),
      runtime,
    ),
    fetcher: imageFetcher({
      program: new URL('unnest-fetcher.js', import.meta.url).pathname,
      folders: systemFolders,
      places: localFetchPlaces(of.stateDir),
      caFile: of.fetchCaFile,
    }),
    lock: (partition) => lockPartition(of.stateDir, partition),
    newInstallation: () => installation,
    logTo: logDestinationOf(process.stdout),
    notify: await systemdNotify(process.env, process.pid),
    openHosts: (onCall) =>
      openLibvirtHosts(
        { uri: of.host, stateDir: of.stateDir, thinPool: of.thinPool, onCall },
        ending.signal,
      ),
  });
  // Timers of the runtime keep nobody alive, and the daemon lives until it is told to end.
  const alive = setInterval(() => undefined, 2 ** 30);
  let asked = 0;
  const onSignal = () => {
    asked += 1;
    if (asked > 1) return daemon.abort();
    void daemon.close().finally(() => {
      clearInterval(alive);
      ending.abort();
    });
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, onSignal);
}
