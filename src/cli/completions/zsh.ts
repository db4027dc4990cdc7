import type { ArgumentShape, CommandShape, OptionShape, ProgramShape, Values } from './shape.ts';

/** A completion script for zsh, to be sourced or put into a folder of `fpath` as `_mcp-python`. */
export function zshScript(shape: ProgramShape): string {
  return `#compdef mcp-python
# Completion of mcp-python for zsh: source this, or put it in a folder of $fpath as _mcp-python

${shape.commands.map(functionOf).join('\n\n')}

__mcp-python_tools() {
  local -a names
  names=(\${\${(f)"$(_call_program tools mcp-python tools 2>/dev/null)"}%% *})
  (( $#names )) || names=(${[...shape.tools.keys()].join(' ')})
  compadd -a names
}

__mcp-python_tool_arguments() {
  # After key= comes a value, mostly a path.
  if compset -P '*='; then
    _files
    return
  fi
  case $line[1] in
${[...shape.tools].map(([tool, names]) => `    ${tool}) compadd -S '=' ${names.join(' ')} ;;`).join('\n')}
  esac
}

if [[ \${funcstack[1]} == _mcp-python ]]; then
  _mcp-python "$@"
else
  compdef _mcp-python mcp-python
fi
`;
}

function functionOf(command: CommandShape): string {
  const name = functionName(command);
  const { subcommands } = command;
  const specs = command.options.flatMap(optionSpecs);
  if (subcommands.length === 0) {
    return `${name}() {\n  local -a line\n  ${arguments_('-S', [...specs, ...command.arguments.map(argumentSpec)])}\n}`;
  }
  return `${name}() {
  local state
  local -a line commands
  ${arguments_('-C -S', [...specs, quote('1:command:->command'), quote('*:::argument:->argument')])} && return
  case $state in
    command)
      commands=(
${subcommands.map((each) => `        ${quote(`${each.path.at(-1)}:${each.summary}`)}`).join('\n')}
      )
      _describe command commands
      ;;
    argument)
      # The functions below take the subcommand for the command.
      words=($line[1] $words)
      ((CURRENT++))
      case $line[1] in
${subcommands.map((each) => `        ${each.path.at(-1)}) ${functionName(each)} ;;`).join('\n')}
      esac
      ;;
  esac
}`;
}

function functionName({ path }: CommandShape): string {
  return ['_mcp-python', ...path].join('_');
}

function arguments_(flags: string, specs: readonly string[]): string {
  return [`_arguments ${flags}`, ...specs].join(' \\\n    ');
}

function optionSpecs({ flags, description, repeatable, value }: OptionShape): string[] {
  const action = value === undefined ? '' : `:${plain(value.name)}:${actionOf(value)}`;
  const again = repeatable ? '*' : '';
  return flags.map((flag) => quote(`${again}${flag}[${plain(description)}]${action}`));
}

function argumentSpec({ name, values, variadic }: ArgumentShape): string {
  return quote(`${variadic ? '*' : ''}:${plain(name)}:${actionOf(values)}`);
}

function actionOf(values: Values): string {
  if (values.kind === 'words') return `(${values.words.join(' ')})`;
  if (values.kind === 'files') return '_files';
  if (values.kind === 'anything') return ' ';
  return `__mcp-python_${values.kind.replace(' ', '_')}`;
}

function plain(text: string): string {
  return text.replace(/[[\]:\\]/g, '\\$&');
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
