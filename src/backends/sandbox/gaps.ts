/** What a confinement asks for and does not get. */
import type { Confinement } from '../backend.ts';
import type { NoSandbox, Sandbox } from './find-sandbox.ts';

/**
 * @param confinement undefined: any
 * @returns ends of sentences for `Enforcement.notEnforced`
 */
export function describeGaps(confinement: Confinement | undefined, sandbox: Sandbox | NoSandbox): string[] {
  if ('reason' in sandbox) {
    return [
      'commands can change every file that mcp-python can',
      ...(!confinement || confinement.readable || confinement.hidden.length > 0
        ? ['commands can read every file that mcp-python can']
        : []),
      ...(confinement?.network === 'all' ? [] : ['commands can reach the whole network']),
      'commands see and can end other processes of the user',
    ];
  }
  return sandbox.extra.includes('--disable-userns') ? [] : ['commands can make namespaces of their own'];
}
