/** The parts of README and manual pages that are made from the program: options, tools, configuration keys. */
import { type CommandShape, type OptionShape, programShape } from '../../src/cli/completions/shape.ts';
import { type ConfigKey, configKeys } from '../../src/config/keys.ts';
import { describeTool } from '../../src/protocol/tool-description.ts';
import { BUILT_IN_TOOLS } from '../../src/tools/table.ts';

export interface GeneratedBlock {
  /** Path of the file below the project's folder. */
  readonly file: string;
  /** What stands in the markers around it. */
  readonly name: string;
  readonly text: string;
}

const GLOBAL_FLAGS = new Set(['--config', '--json', '--log-level', '--plugin', '--help']);

export async function generatedBlocks(): Promise<readonly GeneratedBlock[]> {
  const { root, commands } = await programShape();
  const optionsIn = (file: string, path: string) => {
    const command = commands.find((each) => each.path.join(' ') === path) as CommandShape;
    const own = command.options.filter(({ flags }) => path === '' || !flags.some((flag) => GLOBAL_FLAGS.has(flag)));
    return { file, name: `options${path && ` of ${path}`}`, text: own.map(manualOption).join('\n') };
  };
  return [
    { file: 'README.md', name: 'commands', text: commandTable(root) },
    { file: 'README.md', name: 'tools', text: await toolTable() },
    { file: 'README.md', name: 'configuration', text: configTable() },
    { file: 'man/mcp-python-config.5', name: 'configuration', text: configKeys().map(manualKey).join('\n') },
    optionsIn('man/mcp-python.1', ''),
    optionsIn('man/mcp-python.1', 'config init'),
    optionsIn('man/mcp-python.1', 'policy test'),
    optionsIn('man/mcp-python.1', 'approve'),
    optionsIn('man/mcp-python.1', 'keys create'),
    optionsIn('man/mcp-python.1', 'audit verify'),
    optionsIn('man/mcp-python.1', 'audit tail'),
    optionsIn('man/mcp-python.1', 'audit query'),
    optionsIn('man/mcp-python.1', 'service print'),
    optionsIn('man/mcp-python.1', 'service install'),
    optionsIn('man/mcp-python.1', 'service uninstall'),
    optionsIn('man/mcp-python.1', 'setup'),
    optionsIn('man/mcp-python-serve.1', 'serve'),
    optionsIn('man/mcp-python-stdio.1', 'stdio'),
    optionsIn('man/mcp-python-call.1', 'call'),
    optionsIn('man/mcp-python-host-agent.8', 'host-agent'),
  ];
}

/** The file with the text between the block's markers replaced. @throws when it has no such markers */
export function withBlock(content: string, { file, name, text }: GeneratedBlock): string {
  const [begin, end] = file.endsWith('.md')
    ? [`<!-- ${name}: generated, see test/cli/documentation.test.ts -->\n`, `<!-- end of ${name} -->`]
    : [`.\\" ${name}: generated, see test/cli/documentation.test.ts\n`, `.\\" end of ${name}`];
  const from = content.indexOf(begin);
  const to = content.indexOf(end);
  if (from === -1 || to === -1) throw new Error(`${file} has no markers for "${name}".`);
  return `${content.slice(0, from + begin.length)}${text}\n${content.slice(to)}`;
}

function commandTable({ subcommands }: CommandShape): string {
  return markdownTable(
    ['Command', 'What it does'],
    subcommands.map(({ path, summary }) => [code(path.join(' ')), summary]),
  );
}

async function toolTable(): Promise<string> {
  const tools = await Promise.all(BUILT_IN_TOOLS.map(({ load }) => load()));
  const rows = tools.map((tool) => {
    const { properties = {}, required = [] } = describeTool(tool).inputSchema as { properties?: object; required?: string[] };
    const names = Object.keys(properties).filter((each) => each !== 'backend');
    const [sentence = ''] = /^.*?[.](?= |$)/.exec(tool.description) ?? [];
    return [code(tool.name), sentence, names.map((each) => code(each) + (required.includes(each) ? '*' : '')).join(' ')];
  });
  return markdownTable(['Tool', 'What it does', 'Arguments (* required)'], rows);
}

function configTable(): string {
  const rows = configKeys().map(({ key, description, default: initial, accepts }) => [
    code(key),
    code(JSON.stringify(initial)),
    `${description} Takes ${accepts}.`,
  ]);
  return markdownTable(['Key', 'Default', 'Meaning'], rows);
}

function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function code(text: string): string {
  return `\`${text}\``;
}

function manualOption({ flags, description, initial, value }: OptionShape): string {
  const names = flags.map((flag) => `Fl ${flag.slice(1).replaceAll('-', '\\-')}`).join(' , ');
  const facts = [
    ...(value?.kind === 'words' ? [value.words.join(', ')] : []),
    ...(initial === undefined ? [] : [`default ${initial}`]),
  ];
  const told = facts.length > 0 ? ` (${facts.join('; ')})` : '';
  return `.It ${names}${value ? ` Ar ${value.name}` : ''}\n${roff(sentence(description) + told)}.`;
}

function manualKey({ key, description, default: initial, accepts, environment }: ConfigKey): string {
  return [
    `.It Cm ${key}`,
    roff(description),
    roff(`Takes ${accepts}.`),
    `Default: ${roff(JSON.stringify(initial))}.`,
    `Variable:`,
    `.Ev ${environment} .`,
  ].join('\n');
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Text for roff: no character of it is taken for a request or turned into another; `code` is bold. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replace(/`([^`]*)`/g, (_, inner: string) => `\\fB${inner}\\fP`)
    .replaceAll('’', '\\(cq')
    .replaceAll('"', '\\(dq')
    .replaceAll("'", '\\(aq')
    .replaceAll('~', '\\(ti')
    .replaceAll('-', '\\-')
    .replace(/^\./gm, '\\&.')
    .replace(/([.:]) (?=[A-Z])/g, '$1\n');
}
