/**
 * `unnest ssh`: the system's ssh, to where a Secondary is. Whose host key it is, is kept by the Secondary's
 * UUID and not by its address, which another one may have tomorrow; checking it is ssh's, as the user has it.
 */
import { Command } from 'commander';
import type { Environment } from '../environment.ts';
import { type HostOptions, withHostOptions } from '../options.ts';
import { reachable } from '../secondary-address.ts';

interface Options extends HostOptions {
  readonly login?: string;
}

export function sshCommand(environment: Environment, exit: (code: number) => void): Command {
  return withHostOptions(new Command('ssh'), environment)
    .description('log in to a Secondary over its network, by the ssh of this machine')
    .argument('<name>', 'which one')
    .argument('[words...]', 'for ssh, behind --: its options, and what to run there')
    .option('-l, --login <user>', 'as whom; else as ssh decides')
    .action(async (name: string, words: readonly string[], options: Options, command: Command) => {
      const { address, uuid } = await reachable(name, command, options, environment);
      const knownHosts = `${await environment.userStateDir()}/known_hosts`;
      const settings = [
        `HostKeyAlias=${uuid}`,
        `UserKnownHostsFile=${quoted(knownHosts)}`,
        'CheckHostIP=no',
      ];
      const login = options.login === undefined ? [] : ['-l', options.login];
      const args = [...settings.flatMap((each) => ['-o', each]), ...login, address, ...words];
      exit(await environment.runProgram('ssh', args, environment.stop));
    });
}

/** ssh reads a list of files there, and signs of its own. */
function quoted(path: string): string {
  return `"${path.replace(/%/g, '%%')}"`;
}
