/** `unnest agent`: runs in a Primary, and speaks with the host for everybody there. */
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { primaryPortDefault } from '../../channel/limits.ts';
import { usageError } from '../command-error.ts';
import type { Environment } from '../environment.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { wholePort } from '../options.ts';

interface Options {
  readonly watch?: string;
  readonly runDir: string;
  readonly group?: string;
  readonly port: number;
  readonly hostSocket?: string;
  readonly configureNic?: boolean;
}

export function agentCommand(environment: Environment, exit: (code: ExitCode) => void): Command {
  return new Command('agent')
    .description(
      "run in a Primary: hand in a folder's documents, and speak with the host for others",
    )
    .option('--watch <dir>', 'the folder whose documents say what the partition is to be')
    .option('--run-dir <path>', 'where its socket and what the host says are', '/run/unnest')
    .option('--group <name>', 'whose members may use its socket, besides root')
    .addOption(
      new Option('--port <port>', 'the vsock port that unnestd listens on')
        .argParser(wholePort)
        .default(primaryPortDefault),
    )
    .option('--host-socket <path>', 'a Unix socket that leads to unnestd, where there is no vsock')
    .option(
      '--configure-nic',
      "give the NIC that the host plugs in on the partition's network its address (needs CAP_NET_ADMIN, and ip)",
    )
    .action(async (options: Options) => {
      exit(await run(options, environment));
    });
}

async function run(options: Options, { agent, stop }: Environment): Promise<ExitCode> {
  const { watch, group = null, port, hostSocket, configureNic = false } = options;
  const runDir = resolve(options.runDir);
  const folder = watch === undefined ? null : resolve(watch);
  // Each change of what it writes would wake it.
  if (folder !== null && `${runDir}/`.startsWith(`${folder}/`)) {
    throw usageError(`--run-dir ${runDir} must not be in what is watched (${folder})`);
  }
  const host =
    hostSocket === undefined
      ? ({ kind: 'vsock', port } as const)
      : ({ kind: 'unix', path: resolve(hostSocket) } as const);
  await agent({ host, runDir, group, folder, configureNic }, stop);
  return exitCodes.ok;
}
