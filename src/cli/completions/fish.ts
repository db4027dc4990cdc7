import { type CommandShape, flagsWithValue, type OptionShape, type ProgramShape, type Values } from './shape.ts';

/** A completion script for fish, to be sourced or put into ~/.config/fish/completions/mcp-python.fish. */
export function fishScript(shape: ProgramShape): string {
  return `# Completion of mcp-python for fish: source this, or put it in ~/.config/fish/completions/mcp-python.fish

# The words typed so far that are neither options nor their values.
function __mcp_python_words
    set -l skip 0
    for word in (commandline -opc)[2..]
        if test $skip = 1
            set skip 0
            continue
        end
        switch $word
            case ${flagsWithValue(shape).join(' ')}
                set skip 1
            case '-*'
            case '*'
                echo $word
        end
    end
end

# Whether the words begin with the given ones.
function __mcp_python_below
    set -l words (__mcp_python_words)
    set -l count (count $argv)
    test $count = 0; or test "$words[1..$count]" = "$argv"
end

# Whether the words are the given ones and so many more.
function __mcp_python_at
    test (count (__mcp_python_words)) = (math (count $argv) - 1 + $argv[1]); and __mcp_python_below $argv[2..]
end

function __mcp_python_tools
    set -l names (mcp-python tools 2>/dev/null | string match -r '^\\S+')
    test (count $names) -gt 0; or set names ${[...shape.tools.keys()].join(' ')}
    printf '%s\\n' $names
end

function __mcp_python_tool_arguments
    switch (__mcp_python_words)[2]
${[...shape.tools].map(([tool, names]) => `        case ${tool}\n            printf '%s\\n' ${names.map((name) => `${name}=`).join(' ')}`).join('\n')}
    end
end

complete -c mcp-python -f
${shape.commands.flatMap(linesOf).join('\n')}
`;
}

function linesOf(command: CommandShape): string[] {
  const path = command.path.join(' ');
  return [
    ...command.subcommands.map((each) => rule(`__mcp_python_at 0 ${path}`, `-a ${each.path.at(-1)} -d ${quote(each.summary)}`)),
    ...command.arguments.flatMap(({ values, variadic }, index) => {
      const action = actionOf(values);
      if (action === '') return [];
      return [rule(variadic ? `__mcp_python_below ${path}` : `__mcp_python_at ${index} ${path}`, action)];
    }),
    // The program's own options are listed again with every subcommand.
    ...command.options.map((option) => rule(path ? `__mcp_python_below ${path}` : '__mcp_python_at 0', optionOf(option))),
  ];
}

function rule(condition: string, rest: string): string {
  return `complete -c mcp-python -n ${quote(condition.trim())} ${rest}`;
}

function optionOf({ flags, description, value }: OptionShape): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  const action = value === undefined ? '' : value.kind === 'files' ? ' -r -F' : ` -x ${actionOf(value)}`;
  return `${names.join(' ')}${action.trimEnd()} -d ${quote(description)}`;
}

function actionOf(values: Values): string {
  if (values.kind === 'words') return `-a ${quote(values.words.join(' '))}`;
  if (values.kind === 'files') return '-F';
  if (values.kind === 'anything') return '';
  return `-a ${quote(`(__mcp_python_${values.kind.replace(' ', '_')})`)}`;
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
