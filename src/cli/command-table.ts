/** The commands with their options and arguments, as plain data, for whatever is generated from them. */
import type { Argument, Command, Option } from 'commander';
import { topicWords } from './explain/topics.ts';

/** What a shell can offer where a value is to be typed. */
export type Completes =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'files' }
  | { readonly kind: 'secondaries' }
  | { readonly kind: 'nothing' };

export interface OptionFacts {
  /** `-f` and `--file`; the long one last. */
  readonly flags: readonly string[];
  readonly description: string;
  /** Null for an option that takes no value. */
  readonly value: ValueFacts | null;
  readonly default: string | null;
}

export interface ValueFacts {
  readonly name: string;
  /** Whether it takes all words up to the next option. */
  readonly variadic: boolean;
  readonly completes: Completes;
}

export interface ArgumentFacts extends ValueFacts {
  readonly description: string;
  readonly required: boolean;
}

export interface CommandFacts {
  readonly name: string;
  readonly description: string;
  readonly arguments: readonly ArgumentFacts[];
  readonly options: readonly OptionFacts[];
}

export interface CommandTable extends CommandFacts {
  readonly version: string;
  readonly commands: readonly CommandFacts[];
}

export function commandTable(program: Command): CommandTable {
  return {
    ...factsOf(program),
    version: program.version() ?? '',
    commands: program.commands.map(factsOf),
  };
}

/** The root of whatever command an action was given. */
export function programOf(command: Command): Command {
  return command.parent === null ? command : programOf(command.parent);
}

function factsOf(command: Command): CommandFacts {
  return {
    name: command.name(),
    description: command.description(),
    arguments: command.registeredArguments.map(argumentFacts),
    options: [...command.options.map(optionFacts), helpOption],
  };
}

const helpOption: OptionFacts = {
  flags: ['-h', '--help'],
  description: 'display help for command',
  value: null,
  default: null,
};

function optionFacts(option: Option): OptionFacts {
  const { short, long, required, optional, variadic, argChoices, defaultValue } = option;
  const name = /[<[]([a-z]+)/.exec(option.flags)?.[1] ?? 'value';
  const takesValue = required || optional;
  return {
    flags: [short, long].filter((flag) => flag !== undefined && flag !== null),
    description: option.description,
    value: takesValue ? { name, variadic, completes: optionCompletes(name, argChoices) } : null,
    default: takesValue && defaultValue !== undefined ? String(defaultValue) : null,
  };
}

function optionCompletes(name: string, choices: readonly string[] | undefined): Completes {
  if (choices !== undefined) return { kind: 'words', words: choices };
  return name === 'file' || name === 'path' ? { kind: 'files' } : { kind: 'nothing' };
}

function argumentFacts(argument: Argument): ArgumentFacts {
  const name = argument.name();
  const { description, required, variadic, argChoices } = argument;
  return { name, description, required, variadic, completes: argumentCompletes(name, argChoices) };
}

function argumentCompletes(name: string, choices: readonly string[] | undefined): Completes {
  if (choices !== undefined) return { kind: 'words', words: choices };
  if (name === 'name') return { kind: 'secondaries' };
  if (name === 'file') return { kind: 'files' };
  return name === 'word' ? { kind: 'words', words: topicWords() } : { kind: 'nothing' };
}
