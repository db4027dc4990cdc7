/** The environment commands get: a minimal one, so that none of our secrets and no surprises go along. */
import { Failure } from '../errors.ts';

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

/** Variables that change what a command is or runs, rather than what it works on. */
const REFUSED: readonly (readonly [RegExp, string])[] = [
  [/^(?:LD|DYLD)_/, 'it makes the loader run other code'],
  [/^(?:PATH|IFS|CDPATH|SHELL|SHELLOPTS|BASHOPTS|PS4|GLOBIGNORE)$/, 'it changes what a command line means'],
  [/^(?:BASH_ENV|ENV|ZDOTDIR|PROMPT_COMMAND|FPATH)$|^BASH_FUNC_/, 'it makes a shell run other code'],
  [/^(?:NODE_OPTIONS|NODE_PATH|NODE_REPL_EXTERNAL_MODULE)$/, 'it makes Node run other code'],
  [
    /^(?:PYTHONSTARTUP|PYTHONPATH|PYTHONHOME|PYTHONINSPECT|PYTHONBREAKPOINT|PYTHONWARNINGS|PYTHONUSERBASE)$/,
    'it makes Python run other code',
  ],
  [/^(?:PERL5OPT|PERL5LIB|PERLLIB|PERL5DB|PERLIO_DEBUG)$/, 'it makes Perl run other code'],
  [/^(?:RUBYOPT|RUBYLIB|GEM_HOME|GEM_PATH|BUNDLE_GEMFILE)$/, 'it makes Ruby run other code'],
  [/^(?:JAVA_TOOL_OPTIONS|_JAVA_OPTIONS|JDK_JAVA_OPTIONS|CLASSPATH|MAVEN_OPTS|GRADLE_OPTS)$/, 'it makes Java run other code'],
  [
    /^(?:EDITOR|VISUAL|PAGER|MANPAGER|LESSOPEN|LESSCLOSE|BROWSER|SUDO_EDITOR|SUDO_ASKPASS)$/,
    'it names a program that others run',
  ],
  [/^GIT_(?!AUTHOR_|COMMITTER_|TERMINAL_PROMPT$)/, 'it makes git run other programs or use another repository'],
  [
    /^(?:SSH_ASKPASS|SSH_AUTH_SOCK|RSYNC_RSH|CVS_RSH|TAR_OPTIONS|MAKEFLAGS|MAKEFILES|GREP_OPTIONS|OPENSSL_CONF|CURL_HOME|WGETRC)$/,
    'it makes a program do other things than its arguments say',
  ],
  [
    /^(?:npm_config_|NPM_CONFIG_|PIP_|CARGO_|RUSTC|GOFLAGS$|CC$|CXX$|MCP_PYTHON_)/,
    'it makes a program do other things than its arguments say',
  ],
];

/** @throws Failure `invalid_input` for what is no variable, `denied` for one that would run other code. */
export function checkVariables(variables: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(variables)) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      throw new Failure('invalid_input', `"${name}" cannot be the name of an environment variable.`);
    if (value.includes('\0')) throw new Failure('invalid_input', `The environment variable ${name} holds a NUL character.`);
    const reason = REFUSED.find(([pattern]) => pattern.test(name))?.[1];
    if (reason) {
      throw new Failure('denied', `The environment variable ${name} may not be set: ${reason}.`, {
        hint: 'Say it in the command itself, or let a person set it with `execution.environment_passthrough`.',
      });
    }
  }
}
