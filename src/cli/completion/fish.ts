/** Completion for fish. */
import type { CommandFacts, CommandTable, Completes, OptionFacts } from '../command-table.ts';

export function fishCompletion(table: CommandTable): string {
  const commands = table.commands.map(
    ({ name, description }) =>
      `complete -c unnest -n __fish_use_subcommand -a ${name} -d ${quoted(description)}`,
  );
  const help = `__fish_seen_subcommand_from help`;
  return `# fish completion for unnest: unnest completion fish | source
complete -c unnest -f

# Names are of a narrow alphabet; whatever else is printed is not offered.
function __unnest_secondaries
    set -l host
    set -l words (commandline -opc)
    for i in (seq (count $words))
        switch $words[$i]
            case -p --partition --host --state-dir --socket
                set -a host $words[$i] $words[(math $i + 1)]
            case '--partition=*' '--host=*' '--state-dir=*' '--socket=*'
                set -a host $words[$i]
        end
    end
    unnest get -o name --timeout 2 $host 2>/dev/null | string match -r '^[a-z0-9-]+$'
end

${table.options.map((option) => optionLine('__fish_use_subcommand', option)).join('\n')}
${commands.join('\n')}
complete -c unnest -n __fish_use_subcommand -a help -d 'display help for command'
complete -c unnest -n ${quoted(help)} -a ${quoted(table.commands.map(({ name }) => name).join(' '))}
${table.commands.flatMap(commandLines).join('\n')}
`;
}

function commandLines(command: CommandFacts): string[] {
  const condition = `__fish_seen_subcommand_from ${command.name}`;
  return [
    ...command.options.map((option) => optionLine(condition, option)),
    ...command.arguments.flatMap(({ completes }) => {
      const words = offered(completes);
      return words === '' ? [] : [`complete -c unnest -n ${quoted(condition)} ${words}`];
    }),
  ];
}

function optionLine(condition: string, { flags, description, value }: OptionFacts): string {
  const names = flags.map((flag) =>
    flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
  );
  const takes = value === null ? '' : ` -r ${offered(value.completes)}`.trimEnd();
  return `complete -c unnest -n ${quoted(condition)} ${names.join(' ')}${takes} -d ${quoted(description)}`;
}

function offered(completes: Completes): string {
  switch (completes.kind) {
    case 'words':
      return `-f -a ${quoted(completes.words.join(' '))}`;
    case 'files':
      return '-F';
    case 'secondaries':
      return `-f -a '(__unnest_secondaries)'`;
    case 'nothing':
      return '';
  }
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, (character) => `\\${character}`)}'`;
}
