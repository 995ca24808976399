/** Completion for bash, from 3.2 on and without the bash-completion package. */
import type { CommandFacts, CommandTable, Completes } from '../command-table.ts';

export function bashCompletion(table: CommandTable): string {
  return `# bash completion for unnest: source <(unnest completion bash)
${prelude}
_unnest_words() {
  case "$1" in
${table.commands.map(wordsCase).join('\n')}
  *) printf '%s' '${[...table.commands.map(({ name }) => name), 'help', ...flagsOf(table)].join(' ')}' ;;
  esac
}

_unnest_values() {
  case "$1 $2" in
${table.commands.flatMap(valueCases).join('\n')}
  *) return 1 ;;
  esac
}

_unnest_arguments() {
  case "$1" in
${table.commands.flatMap(argumentCase).join('\n')}
  help) _unnest_offer -W '${table.commands.map(({ name }) => name).join(' ')}' ;;
  esac
}

complete -F _unnest unnest
`;
}

// The line is taken apart here, because COMP_WORDS is cut at the colon of a libvirt URI.
const prelude = String.raw`_unnest() {
  local line=${'$'}{COMP_LINE:0:COMP_POINT} current='' command='' option='' value='' i
  local -a words=() host=()
  COMPREPLY=()
  read -ra words <<<"$line"
  if [[ $line != *[[:blank:]] ]]; then
    i=$((${'$'}{#words[@]} - 1))
    current=${'$'}{words[i]}
    unset 'words[i]'
  fi
  for ((i = 1; i < ${'$'}{#words[@]}; i++)); do
    case ${'$'}{words[i]} in
    -p | --partition | --host | --state-dir | --socket) host+=("${'$'}{words[i]}" "${'$'}{words[i + 1]-}") ;;
    --partition=* | --host=* | --state-dir=* | --socket=*) host+=("${'$'}{words[i]}") ;;
    esac
    case ${'$'}{words[i]} in
    -*) option=${'$'}{words[i]} value=next ;;
    *) if [[ -z $command ]]; then command=${'$'}{words[i]}; else value=''; fi ;;
    esac
  done
  if [[ $current == --*=* ]]; then
    option=${'$'}{current%%=*} current=${'$'}{current#*=} value=next
  fi
  if [[ $current != -* && -n $option ]]; then
    if [[ -n $value ]]; then
      _unnest_values "$command" "$option" && return
    elif _unnest_values "$command" "$option..."; then
      return
    fi
  fi
  if [[ -n $command && $current != -* ]]; then
    _unnest_arguments "$command"
  else
    _unnest_offer -W "$(_unnest_words "$command")"
  fi
}

_unnest_offer() {
  local word
  while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen "$@" -- "$current")
}

_unnest_files() {
  compopt -o filenames 2>/dev/null
  _unnest_offer -f
}

# Names are of a narrow alphabet; whatever else is printed is not offered.
_unnest_secondaries() {
  local name
  while IFS= read -r name; do
    if [[ $name =~ ^[a-z0-9-]+$ && $name == "$current"* ]]; then COMPREPLY+=("$name"); fi
  done < <("${'$'}{COMP_WORDS[0]}" get -o name --timeout 2 ${'$'}{host[@]+"${'$'}{host[@]}"} 2>/dev/null)
}
`;

function flagsOf({ options }: CommandFacts): string[] {
  return options.flatMap(({ flags }) => flags);
}

function wordsCase(command: CommandFacts): string {
  return `  ${command.name}) printf '%s' '${flagsOf(command).join(' ')}' ;;`;
}

/** `plan --file` for the word right after it, `plan --file...` for those after that. */
function valueCases(command: CommandFacts): string[] {
  return command.options.flatMap(({ flags, value }) => {
    if (value === null) return [];
    const patterns = flags.flatMap((flag) => {
      const pattern = `'${command.name} ${flag}'`;
      return value.variadic ? [pattern, `'${command.name} ${flag}...'`] : [pattern];
    });
    return [`  ${patterns.join(' | ')}) ${action(value.completes)} ;;`];
  });
}

function argumentCase({ name, arguments: [argument] }: CommandFacts): string[] {
  return argument === undefined ? [] : [`  ${name}) ${action(argument.completes)} ;;`];
}

function action(completes: Completes): string {
  switch (completes.kind) {
    case 'words':
      return `_unnest_offer -W '${completes.words.join(' ')}'`;
    case 'files':
      return '_unnest_files';
    case 'secondaries':
      return '_unnest_secondaries';
    case 'nothing':
      return ':';
  }
}
