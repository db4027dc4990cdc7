import { redactor } from '../redaction/process-redactor.ts';
import type { ResourceContents, ResourceContext, ResourceTemplate } from '../resources/resource.ts';
import type { Catalogue } from '../tools/catalogue.ts';
import type { JsonObject } from '../tools/tool.ts';

/** The contents behind a URI, by exact match first and templates second; undefined when nothing answers to it. */
export async function readResource(catalogue: Catalogue, uri: string, context: ResourceContext): Promise<JsonObject | undefined> {
  const resource = catalogue.resources.get(uri);
  if (resource) return wireContents(uri, await resource.read(context));
  for (const template of catalogue.resourceTemplates) {
    const variables = matchTemplate(template, uri);
    if (variables) return wireContents(uri, await template.read(variables, context));
  }
  return undefined;
}

function wireContents(uri: string, contents: ResourceContents): JsonObject {
  const { mimeType, text, blob } = contents;
  return { uri, mimeType, ...(blob ? { blob: Buffer.from(blob).toString('base64') } : { text: redactor.text(text ?? '') }) };
}

/** RFC 6570 level 1: each `{name}` stands for one path segment. */
function matchTemplate(template: ResourceTemplate, uri: string): Record<string, string> | undefined {
  const names: string[] = [];
  const pattern = template.uriTemplate.split(/\{(\w+)\}/).map((part, index) => {
    if (index % 2 === 0) return part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    names.push(part);
    return '([^/?#]+)';
  });
  const match = new RegExp(`^${pattern.join('')}$`).exec(uri);
  if (!match) return undefined;
  try {
    const values = names.map((_, index) => decodeURIComponent(match[index + 1] ?? ''));
    // Dot segments are no names (RFC 3986, remove dot segments): who builds a path from the value must not climb with it.
    if (values.some((value) => value === '.' || value === '..')) return undefined;
    return Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']));
  } catch {
    return undefined;
  }
}
