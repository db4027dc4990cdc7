/** The environment commands get: a minimal one, so that none of our secrets and no surprises go along. */
import { Failure } from '../errors.ts';
import { refusalOf } from './refused-variables.ts';
import { safeText } from './text.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Taken over from our own environment when they are set. */
const INHERITED = ['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'LANG', 'LANGUAGE', 'TZ', 'TMPDIR'];
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** @param passthrough names of further variables of ours to hand on */
export function baseEnvironment(ours: Environment, passthrough: readonly string[]): Record<string, string> {
  const environment: Record<string, string> = { PATH: DEFAULT_PATH, TERM: 'dumb' };
  const locale = Object.keys(ours).filter((name) => /^LC_[A-Z]+$/.test(name));
  for (const name of [...INHERITED, ...locale, ...passthrough]) {
    const value = ours[name];
    if (value !== undefined && value !== '') environment[name] = value;
  }
  return environment;
}

/** @throws Failure `invalid_input` for what is no variable, `denied` for one that would run other code. */
export function checkVariables(variables: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(variables)) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      throw new Failure('invalid_input', `"${safeText(name)}" cannot be the name of an environment variable.`);
    if (value.includes('\0')) throw new Failure('invalid_input', `The environment variable ${name} holds a NUL character.`);
    const reason = refusalOf(name, value);
    if (reason) {
      throw new Failure('denied', `The environment variable ${name} may not be set: ${reason}.`, {
        hint: 'Say it in the command itself, or let a person set it with `execution.environment_passthrough`.',
      });
    }
  }
}
