import { nearestName } from '../config/nearest-name.ts';
import { Failure } from '../errors.ts';
import type { CatalogueHandle, PluginContributions } from '../plugins/plugin.ts';
import type { Prompt } from '../prompts/prompt.ts';
import type { Resource, ResourceTemplate } from '../resources/resource.ts';
import type { AnyTool } from './tool.ts';

/** A tool that is loaded when it is first used. */
export interface LazyTool {
  readonly name: string;
  load(): Promise<AnyTool>;
}

/** What changed in the catalogue, for those who told clients about it. */
export type CatalogueChange =
  | { readonly kind: 'tools' | 'prompts' | 'resources' }
  | { readonly kind: 'resource'; readonly uri: string };

/** Everything a client can see: tools, resources and prompts, built in or from plug-ins. */
export interface Catalogue extends CatalogueHandle {
  readonly toolNames: readonly string[];
  /** @throws Failure `not_found`, naming the nearest tool. */
  tool(name: string): Promise<AnyTool>;
  /** A tool that is at hand already: the common case, which then costs no promise. */
  loadedTool(name: string): AnyTool | undefined;
  hasTool(name: string): boolean;
  /** All tools in a stable order. */
  tools(): Promise<readonly AnyTool[]>;
  readonly resources: ReadonlyMap<string, Resource>;
  readonly resourceTemplates: readonly ResourceTemplate[];
  readonly prompts: ReadonlyMap<string, Prompt>;
  contribute(contributions: PluginContributions): void;
  /** @returns a function that stops the listening. */
  onChange(listener: (change: CatalogueChange) => void): () => void;
}

const TOOL_NAME = /^[A-Za-z0-9_.-]{1,128}$/;

/** @param disabled names of tools that are not offered. */
export function createCatalogue(builtIn: readonly LazyTool[], disabled: readonly string[] = []): Catalogue {
  const lazy = new Map(builtIn.filter(({ name }) => !disabled.includes(name)).map((entry) => [entry.name, entry]));
  const loaded = new Map<string, AnyTool>();
  const resources = new Map<string, Resource>();
  const resourceTemplates: ResourceTemplate[] = [];
  const prompts = new Map<string, Prompt>();
  const listeners = new Set<(change: CatalogueChange) => void>();

  const changed = (change: CatalogueChange) => {
    for (const listener of listeners) listener(change);
  };
  const toolNames = () => [...lazy.keys(), ...[...loaded.keys()].filter((name) => !lazy.has(name))];

  async function tool(name: string): Promise<AnyTool> {
    const known = loaded.get(name);
    if (known) return known;
    const entry = lazy.get(name);
    if (!entry) {
      const near = nearestName(name, toolNames());
      throw new Failure('not_found', `There is no tool named "${name}".`, {
        hint: near ? `Did you mean "${near}"?` : 'List the tools with `mcp-python tools`.',
      });
    }
    const made = await entry.load();
    loaded.set(name, made);
    return made;
  }

  function addTool(added: AnyTool) {
    if (disabled.includes(added.name)) return;
    if (!TOOL_NAME.test(added.name)) {
      throw new Failure('invalid_input', `"${added.name}" cannot be a tool's name.`, {
        hint: 'Use 1 to 128 of A-Z a-z 0-9 _ . - (MCP tools, tool names).',
      });
    }
    if (lazy.has(added.name)) {
      throw new Failure('conflict', `A plug-in wants to replace the built-in tool "${added.name}".`, {
        hint: 'Give the tool another name, or list the built-in one in `tools.disabled`.',
      });
    }
    loaded.set(added.name, added);
    changed({ kind: 'tools' });
  }

  return {
    get toolNames() {
      return toolNames();
    },
    tool,
    loadedTool: (name) => loaded.get(name),
    hasTool: (name) => lazy.has(name) || loaded.has(name),
    tools: () => Promise.all(toolNames().map(tool)),
    resources,
    resourceTemplates,
    prompts,
    addTool,
    removeTool(name) {
      const had = lazy.delete(name);
      if (loaded.delete(name) || had) changed({ kind: 'tools' });
    },
    addPrompt(prompt) {
      prompts.set(prompt.name, prompt);
      changed({ kind: 'prompts' });
    },
    removePrompt(name) {
      if (prompts.delete(name)) changed({ kind: 'prompts' });
    },
    addResource(resource) {
      resources.set(resource.uri, resource);
      changed({ kind: 'resources' });
    },
    removeResource(uri) {
      if (resources.delete(uri)) changed({ kind: 'resources' });
    },
    resourceUpdated(uri) {
      changed({ kind: 'resource', uri });
    },
    contribute(contributions) {
      for (const each of contributions.tools ?? []) addTool(each);
      for (const each of contributions.resources ?? []) resources.set(each.uri, each);
      resourceTemplates.push(...(contributions.resourceTemplates ?? []));
      for (const each of contributions.prompts ?? []) prompts.set(each.name, each);
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
