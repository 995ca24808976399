/** `unnest man`: the manual page, for `man -l` or a package. */
import { Command } from 'commander';
import { commandTable, programOf } from '../command-table.ts';
import type { Environment } from '../environment.ts';
import { manualPage } from '../render/manual.ts';

export function manCommand({ stdout }: Environment): Command {
  return new Command('man')
    .description('print the manual page; `unnest man | man -l -` shows it')
    .action((_options: unknown, command: Command) => {
      stdout.write(manualPage(commandTable(programOf(command))));
    });
}
