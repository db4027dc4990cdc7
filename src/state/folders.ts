/** Where things are kept (XDG Base Directory Specification). */
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

const NAME = 'mcp-python';

/** Folder for keys and state. @param configured `state.directory`, empty for the default */
export function stateFolder(configured: string, environment: Environment = process.env): string {
  return configured || join(base(environment.XDG_STATE_HOME, environment, '.local/state'), NAME);
}

/** Folder of the audit log. @param configured `audit.directory`, empty for the default */
export function auditFolder(configured: string, state: string): string {
  return configured || join(state, 'audit');
}

/** Folder of the configuration file for everybody on this machine. */
export const SYSTEM_CONFIG_FOLDER = '/etc/mcp-python';

/** Folder of the user's own configuration file. */
export function configFolder(environment: Environment = process.env): string {
  return join(base(environment.XDG_CONFIG_HOME, environment, '.config'), NAME);
}

/** Relative values must be ignored, says the specification. */
function base(given: string | undefined, environment: Environment, otherwise: string): string {
  return given && isAbsolute(given) ? given : join(environment.HOME || homedir(), otherwise);
}
