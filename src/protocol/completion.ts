import type { Catalogue } from '../tools/catalogue.ts';
import type { JsonObject } from '../tools/tool.ts';
import { invalidParams, isObject } from './jsonrpc.ts';
import { objectParam, stringParam, stringsParam } from './params.ts';

/** Values one answer may hold (MCP completion). */
const MAX_VALUES = 100;

/** `completion/complete` for prompt arguments and resource template variables. */
export async function complete(catalogue: Catalogue, params: JsonObject): Promise<JsonObject> {
  const reference = params.ref;
  if (!isObject(reference)) throw invalidParams('"params.ref" must be an object.');
  const argument = objectParam(params, 'argument');
  const name = stringParam(argument, 'name');
  const value = stringParam(argument, 'value');
  const others = stringsParam(objectParam(params, 'context'), 'arguments');

  const all = await candidates(catalogue, reference, name, value, others);
  return { completion: { values: all.slice(0, MAX_VALUES), total: all.length, hasMore: all.length > MAX_VALUES } };
}

async function candidates(
  catalogue: Catalogue,
  reference: JsonObject,
  name: string,
  value: string,
  others: Record<string, string>,
): Promise<readonly string[]> {
  if (reference.type === 'ref/prompt') {
    const prompt = catalogue.prompts.get(stringParam(reference, 'name'));
    if (!prompt) throw invalidParams(`There is no prompt named "${reference.name}".`);
    const argument = prompt.arguments.find((each) => each.name === name);
    if (!argument) throw invalidParams(`The prompt "${prompt.name}" has no argument "${name}".`);
    return (await argument.complete?.(value, others)) ?? [];
  }
  if (reference.type === 'ref/resource') {
    const uri = stringParam(reference, 'uri');
    const template = catalogue.resourceTemplates.find((each) => each.uriTemplate === uri);
    if (!template && !catalogue.resources.has(uri)) throw invalidParams(`There is no resource or template "${uri}".`);
    return (await template?.complete?.(name, value, others)) ?? [];
  }
  throw invalidParams('"params.ref.type" must be "ref/prompt" or "ref/resource".');
}
