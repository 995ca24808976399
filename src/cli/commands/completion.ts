/** `unnest completion`: a script that teaches a shell the commands, the options and the names. */
import { Argument, Command } from 'commander';
import { commandTable, type CommandTable, programOf } from '../command-table.ts';
import { bashCompletion } from '../completion/bash.ts';
import { fishCompletion } from '../completion/fish.ts';
import { zshCompletion } from '../completion/zsh.ts';
import type { Environment } from '../environment.ts';

const scripts = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
} as const satisfies Readonly<Record<string, (table: CommandTable) => string>>;

export function completionCommand({ stdout }: Environment): Command {
  return new Command('completion')
    .description('print a script that completes commands, options and names; to be sourced')
    .addArgument(new Argument('<shell>', 'for which shell').choices(Object.keys(scripts)))
    .action((shell: keyof typeof scripts, _options: unknown, command: Command) => {
      stdout.write(scripts[shell](commandTable(programOf(command))));
    });
}
