/** What somebody has said about where to work: by an option, or by a variable that is not empty. */
import type { Command } from 'commander';
import type { Environment } from './environment.ts';

const variablesOf = {
  host: 'UNNEST_HOST',
  stateDir: 'UNNEST_STATE_DIR',
  socket: 'UNNEST_SOCKET',
} as const;
export type Place = keyof typeof variablesOf;

export type Said = 'option' | 'variable' | 'nothing';

/** @param command whose options tell who said what */
export function saidOf(command: Command, place: Place, { variables }: Environment): Said {
  if (command.getOptionValueSource(place) === 'cli') return 'option';
  return (variables.get(variablesOf[place]) ?? '') === '' ? 'nothing' : 'variable';
}
