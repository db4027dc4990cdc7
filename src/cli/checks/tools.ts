/** Whether plug-ins load, and whether the tools that are switched off exist. */
import { nearestName } from '../../config/nearest-name.ts';
import type { Config } from '../../config/schema.ts';
import { toFailure } from '../../errors.ts';
import { loadPlugins } from '../../plugins/load.ts';
import { createCatalogue } from '../../tools/catalogue.ts';
import { BUILT_IN_TOOLS } from '../../tools/table.ts';
import { type Check, fail, ok, warn } from './check.ts';

export async function checkTools({ plugins, tools }: Config): Promise<Check[]> {
  const checks: Check[] = [];
  const all = createCatalogue(BUILT_IN_TOOLS);
  for (const file of plugins) {
    const before = all.toolNames.length;
    try {
      await loadPlugins([file], all);
      checks.push(ok('plug-in', `${file} adds ${all.toolNames.length - before} tools`));
    } catch (thrown) {
      const { message, hint } = toFailure(thrown);
      checks.push(fail('plug-in', message, hint ?? 'Correct the file, or take it out of `plugins`.'));
    }
  }
  const offered = all.toolNames.filter((name) => !tools.disabled.includes(name));
  const unknown = tools.disabled.filter((name) => !all.hasTool(name));
  const [first] = unknown;
  if (first === undefined) return [...checks, ok('tools', `${offered.length} offered, ${tools.disabled.length} disabled`)];
  const near = nearestName(first, all.toolNames);
  return [
    ...checks,
    warn(
      'tools',
      `\`tools.disabled\` names what does not exist: ${unknown.join(', ')}`,
      near ? `Did you mean ${near}?` : 'List the tools with `mcp-python tools`.',
    ),
  ];
}
