/** Whether commands run in a sandbox, and what does not hold where they do not. */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Config } from '../../config/schema.ts';
import { toFailure } from '../../errors.ts';
import { type Check, fail, ok, warn } from './check.ts';

const NAME = 'sandbox';

export async function checkSandbox({ execution }: Config): Promise<Check> {
  const { sandbox: mode, network_hosts: hosts } = execution.security;
  const [{ findSandbox }, { describeGaps }, { parseHosts }] = await Promise.all([
    import('../../backends/sandbox/find-sandbox.ts'),
    import('../../backends/sandbox/gaps.ts'),
    import('../../backends/sandbox/network-hosts.ts'),
  ]);
  if (mode === 'off') {
    return warn(
      NAME,
      'off: only the command policy stands between a command and this machine',
      'Set `execution.security.sandbox` to `auto`.',
    );
  }
  const found = await findSandbox();
  if ('reason' in found) {
    const hint = `${found.reason.charAt(0).toUpperCase()}${found.reason.slice(1)}`;
    if (mode === 'required') return fail(NAME, 'there is none, so no command runs', hint);
    return warn(NAME, `there is none: ${describeGaps(undefined, found).join(', ')}`, hint);
  }
  try {
    parseHosts(hosts);
  } catch (thrown) {
    const { message, hint } = toFailure(thrown);
    return fail(NAME, message, hint ?? 'Correct `execution.security.network_hosts`.');
  }
  const name = `bubblewrap ${found.version}`;
  const gaps = describeGaps(undefined, found);
  if (await belongsToAnother(resolve(execution.workspace || process.cwd()))) {
    return warn(
      NAME,
      `${name}; root has no special rights in it, so commands cannot write in the workspace, which is another user's`,
      'Run mcp-python as the user the workspace belongs to.',
    );
  }
  return gaps.length === 0 ? ok(NAME, name) : ok(NAME, `${name}, but ${gaps.join(', ')}`);
}

/** Whether we are root and the folder is not root's, nor open to everybody. */
async function belongsToAnother(folder: string): Promise<boolean> {
  const found = await stat(folder).catch(() => undefined);
  return process.getuid?.() === 0 && found !== undefined && found.uid !== 0 && (found.mode & 0o002) === 0;
}
