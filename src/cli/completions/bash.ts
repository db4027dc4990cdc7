import { type CommandShape, flagsWithValue, type ProgramShape, type Values } from './shape.ts';

/** A completion script for bash 4 and newer; it needs nothing of the bash-completion package. */
export function bashScript(shape: ProgramShape): string {
  const withValue = flagsWithValue(shape).join('|');
  const paths = shape.commands.filter(({ path }) => path.length > 0).map(({ path }) => path.join('/'));
  return `# Completion of mcp-python for bash: source this, or put it in ~/.local/share/bash-completion/completions/mcp-python
_mcp_python() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} path='' word i=1
  local -a given=() global=()
  COMPREPLY=()
  while ((i < COMP_CWORD)); do
    word=\${COMP_WORDS[i]}
    case $word in
      ${withValue})
        # bash makes three words of --option=value.
        [[ \${COMP_WORDS[i + 1]} == '=' ]] && ((i++))
        case $word in --config | --plugin) global+=("$word" "\${COMP_WORDS[i + 1]}") ;; esac
        ((i++))
        ;;
      -*) ;;
      *)
        case \${path:+$path/}$word in
          ${paths.join('|')}) path=\${path:+$path/}$word ;;
          *) given+=("$word") ;;
        esac
        ;;
    esac
    ((i++))
  done
  if [[ $cur == '=' ]]; then
    cur=''
  elif [[ $prev == '=' ]]; then
    prev=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  case $prev in
${valueCases(shape)}
  esac
  if [[ $cur == -* ]]; then
    case $path in
${shape.commands.map(optionCase).join('\n')}
    esac
    return
  fi
  case $path:\${#given[@]} in
${shape.commands.flatMap(argumentCases).join('\n')}
  esac
}

_mcp_python_words() {
  mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur")
}

_mcp_python_files() {
  mapfile -t COMPREPLY < <(compgen -f -- "$cur")
  compopt -o filenames 2>/dev/null
}

_mcp_python_tools() {
  local names
  names=$("\${COMP_WORDS[0]}" tools "\${global[@]}" 2>/dev/null | while read -r name _; do echo "$name"; done)
  _mcp_python_words "\${names:-${[...shape.tools.keys()].join(' ')}}"
}

_mcp_python_tool_arguments() {
  # After key= comes a value, mostly a path.
  [[ \${COMP_WORDS[COMP_CWORD]} == '=' || \${COMP_WORDS[COMP_CWORD - 1]} == '=' ]] && { _mcp_python_files; return; }
  compopt -o nospace 2>/dev/null
  case \${given[0]} in
${[...shape.tools].map(([tool, names]) => `    ${tool}) _mcp_python_words '${names.map((name) => `${name}=`).join(' ')}' ;;`).join('\n')}
  esac
}

complete -F _mcp_python mcp-python
`;
}

function valueCases({ commands }: ProgramShape): string {
  const cases = new Map<string, string>();
  for (const { flags, value } of commands.flatMap(({ options }) => options)) {
    if (value) cases.set(flags.join('|'), `    ${flags.join('|')}) ${call(value)}; return ;;`);
  }
  return [...cases.values()].join('\n');
}

function optionCase({ path, options }: CommandShape): string {
  const flags = options.flatMap((option) => option.flags).join(' ');
  return `      ${path.join('/') || "''"}) _mcp_python_words '${flags}' ;;`;
}

function argumentCases(command: CommandShape): string[] {
  const path = command.path.join('/');
  if (command.subcommands.length > 0) {
    const names = command.subcommands.map((each) => each.path.at(-1)).join(' ');
    return [`    ${path}:0) _mcp_python_words '${names}' ;;`];
  }
  return command.arguments.map(({ values, variadic }, index) => `    ${path}:${variadic ? '*' : index}) ${call(values)} ;;`);
}

function call(values: Values): string {
  if (values.kind === 'words') return `_mcp_python_words '${values.words.join(' ')}'`;
  if (values.kind === 'anything') return ':';
  return `_mcp_python_${values.kind.replace(' ', '_')}`;
}
