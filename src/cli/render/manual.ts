/** The manual page in roff (man(7)), from the table of commands and the texts of `explain`. */
import type { ArgumentFacts, CommandFacts, CommandTable, OptionFacts } from '../command-table.ts';
import { exitCodes } from '../exit-codes.ts';
import { exitCodeExplanations } from '../explain/exit-codes.ts';
import { wrap } from './wrap.ts';

export function manualPage(table: CommandTable): string {
  const { commands, description, version } = table;
  return [
    `.TH UNNEST 1 "" "unnest ${text(version)}" "User Commands"`,
    '.SH NAME',
    `unnest \\- ${text(description)}`,
    '.SH SYNOPSIS',
    '.B unnest',
    '.I command',
    '[\\fIoption\\fR ...] [\\fIargument\\fR ...]',
    '.SH DESCRIPTION',
    paragraph(about),
    '.SH COMMANDS',
    ...commands.flatMap(commandSection),
    '.SH EXIT STATUS',
    ...Object.entries(exitCodes).flatMap(([name, code]) => [
      '.TP',
      `.B ${code}`,
      paragraph(exitCodeExplanations[name as keyof typeof exitCodes].means),
    ]),
    '.SH ENVIRONMENT',
    ...variables.flatMap(([name, meaning]) => ['.TP', `.B ${name}`, paragraph(meaning)]),
    '.SH SEE ALSO',
    '.BR virsh (1)',
    '',
  ].join('\n');
}

const about =
  'The documents given with -f (files, directories, or - for standard input) say which virtual machines a partition of this host is to have: all of them. plan shows what would be done and why, apply does exactly that. Domains that unnest did not make are never touched. Where unnestd runs, apply, get, wait and the commands about its work go through it, unless --host is given.';

const variables = [
  ['UNNEST_HOST', 'Stands in for --host.'],
  ['UNNEST_PARTITION', 'Stands in for --partition.'],
  ['UNNEST_STATE_DIR', 'Stands in for --state-dir.'],
  ['UNNEST_SOCKET', 'Stands in for --socket.'],
  ['NO_COLOR', 'If it is set and not empty, nothing is coloured.'],
  ['FORCE_COLOR', 'If it is set to anything but 0, colour is used without a terminal.'],
] as const;

function commandSection(command: CommandFacts): string[] {
  return [
    `.SS "unnest ${[command.name, ...command.arguments.map(usageOf)].map(text).join(' ')}"`,
    paragraph(sentence(command.description)),
    ...command.arguments.flatMap((each) => [
      '.TP',
      `.I ${text(each.name)}`,
      paragraph(sentence(each.description)),
    ]),
    ...command.options.filter(({ flags }) => !flags.includes('--help')).flatMap(optionParagraph),
  ];
}

function usageOf({ name, required, variadic }: ArgumentFacts): string {
  const shown = variadic ? `${name}...` : name;
  return required ? `<${shown}>` : `[${shown}]`;
}

function optionParagraph({ flags, description, value, default: fallback }: OptionFacts): string[] {
  const names = flags.map((flag) => `\\fB${text(flag)}\\fR`).join(', ');
  const shown = value === null ? '' : ` \\fI${text(value.name)}\\fR${value.variadic ? ' ...' : ''}`;
  const choices =
    value?.completes.kind === 'words' ? ` One of ${value.completes.words.join(', ')}.` : '';
  const defaulted = fallback === null ? '' : ` Default: ${fallback}.`;
  return ['.TP', `${names}${shown}`, paragraph(`${sentence(description)}${choices}${defaulted}`)];
}

function sentence(words: string): string {
  const named = /^(?:libvirt|unnest)\b/.test(words);
  return `${named ? words : words.charAt(0).toUpperCase() + words.slice(1)}.`;
}

const columnsMax = 76;

/** Sentences, in lines of source that editors and mandoc are content with. */
function paragraph(words: string): string {
  return wrap(words, columnsMax, '').trimEnd().split('\n').map(text).join('\n');
}

/** Nothing of a text is a request: neither a backslash, nor a dot or quote at its beginning. */
function text(words: string): string {
  const escaped = words
    .replaceAll('\\', '\\(rs')
    .replaceAll('-', '\\-')
    .replaceAll('"', '\\(dq')
    .replaceAll("'", '\\(aq')
    .replaceAll('`', '\\(ga');
  return escaped.startsWith('.') ? `\\&${escaped}` : escaped;
}
