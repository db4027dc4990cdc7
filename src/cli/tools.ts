import { Command } from 'commander';
import type { AnyTool } from '../tools/tool.ts';
import { printData, printJson, table } from './output.ts';
import { runtimeFor, wantsJson } from './session.ts';

export function define(): Command {
  return new Command('tools')
    .description('List the tools, or describe one with its arguments.')
    .argument('[name]', 'a tool')
    .action(tools);
}

async function tools(name: string | undefined, _: unknown, command: Command): Promise<void> {
  await using runtime = await runtimeFor(command);
  const { describeTool } = await import('../protocol/tool-description.ts');
  const json = wantsJson(command);
  if (name === undefined) {
    const all = await runtime.catalogue.tools();
    await (json ? printJson(all.map((tool) => describeTool(tool))) : printData(table(all.map(summary))));
    return;
  }
  const tool = await runtime.catalogue.tool(name);
  const described = describeTool(tool);
  await (json ? printJson(described) : printData(page(tool, described.inputSchema as InputSchema)));
}

function summary(tool: AnyTool): string[] {
  return [tool.name, tool.toolset, effect(tool), tool.title];
}

function effect({ annotations }: AnyTool): string {
  if (annotations.readOnlyHint) return 'reads';
  return annotations.destructiveHint ? 'may destroy' : 'changes';
}

interface Property {
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Property[];
  readonly default?: unknown;
}

interface InputSchema {
  readonly properties?: Readonly<Record<string, Property>>;
  readonly required?: readonly string[];
}

function page(tool: AnyTool, { properties = {}, required = [] }: InputSchema): string {
  const rows = Object.entries(properties).map(([name, property]) => [
    `  ${name}${required.includes(name) ? '*' : ''}`,
    [...new Set(typesOf(property))].join(' or '),
    (property.description ?? '') + (property.default === undefined ? '' : ` (default: ${JSON.stringify(property.default)})`),
  ]);
  const usage = ['mcp-python', 'call', tool.name, ...required.map((name) => `${name}=…`)].join(' ');
  return [
    `${tool.name}: ${tool.title}`,
    '',
    tool.description,
    '',
    'Arguments (* required):',
    table(rows),
    '',
    `Usage: ${usage}`,
  ].join('\n');
}

function typesOf({ type, enum: words, anyOf = [] }: Property): string[] {
  return words ? words.map(String) : [...(type === undefined ? [] : [type].flat()), ...anyOf.flatMap(typesOf)];
}
