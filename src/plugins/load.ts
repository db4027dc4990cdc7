import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Failure } from '../errors.ts';
import type { Catalogue } from '../tools/catalogue.ts';
import type { AnyTool } from '../tools/tool.ts';
import { defineTool, RawResult } from '../tools/tool.ts';
import type { Plugin, PluginContributions, PluginKit } from './plugin.ts';

/**
 * Loads plug-in files and adds what they bring to the catalogue.
 * @param files paths, relative ones below the working directory
 * @throws Failure `invalid_config` naming the file and what is wrong with it
 */
export async function loadPlugins(files: readonly string[], catalogue: Catalogue): Promise<void> {
  if (files.length === 0) return;
  const { z } = await import('zod');
  const kit: PluginKit = { defineTool, RawResult, Failure, z, catalogue };
  for (const file of files) {
    try {
      catalogue.contribute(asContributions(await (await loadFile(resolve(file)))(kit)));
    } catch (thrown) {
      throw new Failure('invalid_config', `The plug-in ${file} cannot be used: ${reasonOf(thrown)}`, {
        hint: 'A plug-in is a module with `export default ({ defineTool, z }) => defineTool({ … })`.',
        cause: thrown,
      });
    }
  }
}

/** A single-file executable cannot `import()` files beside it, but it can `require` them, modules included. */
async function loadFile(path: string): Promise<Plugin> {
  const module = createRequire(pathToFileURL(path))(path) as { default?: unknown };
  const plugin = typeof module === 'function' ? module : module.default;
  if (typeof plugin !== 'function') throw new Error('it has no default export that is a function.');
  return plugin as Plugin;
}

function asContributions(made: AnyTool | PluginContributions): PluginContributions {
  return 'execute' in made ? { tools: [made] } : made;
}

/** Node's own messages go on with the modules that led there, which says nothing about a plug-in. */
function reasonOf(thrown: unknown): string {
  return (thrown instanceof Error ? thrown.message : String(thrown)).split('\n', 1)[0] ?? '';
}
