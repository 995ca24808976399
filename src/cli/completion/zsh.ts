/** Completion for zsh, by its own `_arguments`. */
import type { CommandFacts, CommandTable, Completes, OptionFacts } from '../command-table.ts';

export function zshCompletion(table: CommandTable): string {
  const described = table.commands.map(({ name, description }) => quoted(`${name}:${description}`));
  const names = table.commands.map(({ name }) => name).join(' ');
  return `#compdef unnest
# zsh completion for unnest: source <(unnest completion zsh)

# Names are of a narrow alphabet; whatever else is printed is not offered.
_unnest_secondaries() {
  local -a host names
  local option
  for option in -p --partition --host --state-dir --socket; do
    [[ -n \${opt_args[$option]-} ]] && host+=($option \${(Q)opt_args[$option]})
  done
  names=(\${(M)\${(f)"$(unnest get -o name --timeout 2 $host 2>/dev/null)"}:#[a-z]#[a-z0-9-]##})
  compadd -a names
}

_unnest() {
  local curcontext=$curcontext state line
  local -A opt_args
  local -a commands=(
${described.map((each) => `    ${each}`).join('\n')}
    'help:display help for command'
  )
  setopt local_options extended_glob
  _arguments -C \\
${table.options.map((option) => `    ${optionSpec(option)} \\`).join('\n')}
    '1:command:->command' '*::argument:->argument' && return
  case $state in
  command) _describe -t commands command commands ;;
  argument)
    case $line[1] in
${table.commands.map(commandCase).join('\n')}
    help) _arguments '1:command:(${names})' ;;
    esac
    ;;
  esac
}

if [[ \${zsh_eval_context[-1]-} == loadautofunc ]]; then _unnest "$@"; else compdef _unnest unnest; fi
`;
}

function commandCase(command: CommandFacts): string {
  const specs = [
    ...command.options.map(optionSpec),
    ...command.arguments.map(({ name, variadic, completes }) =>
      quoted(`${variadic ? '*' : '1'}:${escaped(name)}:${action(completes)}`),
    ),
  ];
  return `    ${command.name})
      _arguments \\
${specs.map((spec) => `        ${spec}`).join(' \\\n')} ;;`;
}

function optionSpec({ flags, description, value }: OptionFacts): string {
  const text = `[${escaped(description)}]`;
  const after = value === null ? '' : `:${escaped(value.name)}:${action(value.completes)}`;
  const rest = `${text}${after}`;
  const repeated = value?.variadic === true;
  if (flags.length === 1) return quoted(`${repeated ? '*' : ''}${flags[0]}${rest}`);
  const head = repeated ? `'*'` : quoted(`(${flags.join(' ')})`);
  return `${head}{${flags.join(',')}}${quoted(rest)}`;
}

function action(completes: Completes): string {
  switch (completes.kind) {
    case 'words':
      return `(${completes.words.join(' ')})`;
    case 'files':
      return '_files';
    case 'secondaries':
      return '_unnest_secondaries';
    case 'nothing':
      return ' ';
  }
}

/** Brackets and colons end a part of a specification. */
function escaped(text: string): string {
  return text.replace(/[[\]:\\]/g, (character) => `\\${character}`);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
