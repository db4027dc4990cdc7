import { describe, expect, it } from 'vitest';
import { baseEnvironment, checkVariables } from '../../src/guard/environment.ts';

describe('the minimal environment', () => {
  const ours = {
    PATH: '/opt/bin:/bin',
    HOME: '/home/ada',
    LANG: 'en_GB.UTF-8',
    LC_ALL: 'C',
    LC_TIME: '',
    TERM: 'xterm-256color',
    AWS_SECRET_ACCESS_KEY: 'secret',
    MCP_PYTHON_STATE_DIRECTORY: '/state',
    LD_PRELOAD: '/x.so',
    EXTRA: 'yes',
  };

  it('holds what programs need of ours, and nothing else', () => {
    expect(baseEnvironment(ours, [])).toEqual({
      PATH: '/opt/bin:/bin',
      HOME: '/home/ada',
      LANG: 'en_GB.UTF-8',
      LC_ALL: 'C',
      TERM: 'dumb',
    });
  });

  it('holds what is passed through by name, where it is set', () => {
    expect(baseEnvironment(ours, ['EXTRA', 'NOT_SET'])).toMatchObject({ EXTRA: 'yes' });
    expect(baseEnvironment(ours, ['NOT_SET'])).not.toHaveProperty('NOT_SET');
  });

  it('has a PATH even where we have none', () => {
    expect(baseEnvironment({}, [])).toEqual({ PATH: expect.stringContaining('/usr/bin'), TERM: 'dumb' });
  });
});

describe('variables of a caller', () => {
  it.each([
    ...['LD_PRELOAD', 'LD_LIBRARY_PATH', 'LD_AUDIT', 'DYLD_INSERT_LIBRARIES', 'GCONV_PATH', 'GLIBC_TUNABLES'],
    ...['PATH', 'IFS', 'HOME', 'XDG_CONFIG_HOME', 'BASH_ENV', 'ENV', 'PROMPT_COMMAND', 'PS4', 'ZDOTDIR'],
    ...[
      'NODE_OPTIONS',
      'NODE_PATH',
      'PYTHONSTARTUP',
      'PYTHONPATH',
      'PERL5OPT',
      'PERL5LIB',
      'RUBYOPT',
      'LUA_INIT',
      'LUA_INIT_5_4',
    ],
    ...['JAVA_TOOL_OPTIONS', 'DOTNET_STARTUP_HOOKS', 'PHPRC', 'VIMINIT', 'PSQLRC', 'AWKLIBPATH'],
    ...['GIT_SSH', 'GIT_SSH_COMMAND', 'GIT_EXTERNAL_DIFF', 'GIT_DIR', 'GIT_CONFIG_COUNT', 'GIT_CONFIG_KEY_0', 'GIT_EDITOR'],
    ...['PAGER', 'GIT_PAGER', 'MANPAGER', 'SYSTEMD_PAGER', 'EDITOR', 'VISUAL', 'LESS', 'LESSOPEN', 'BROWSER'],
    ...['MAKEFLAGS', 'TAR_OPTIONS', 'RSYNC_RSH', 'SSH_ASKPASS', 'npm_config_script_shell', 'MCP_PYTHON_CONFIG'],
  ])('may not set %s, and the reason is told', (name) => {
    expect(() => checkVariables({ [name]: '/tmp/evil' })).toThrow(
      expect.objectContaining({
        code: 'denied',
        message: expect.stringContaining(`${name} may not be set: it `),
        hint: expect.any(String),
      }),
    );
  });

  it.each([
    ...[
      'CI',
      'DEBUG',
      'NODE_ENV',
      'NO_COLOR',
      'PYTHONUNBUFFERED',
      'PYTHONDONTWRITEBYTECODE',
      'RUST_BACKTRACE',
      'CARGO_TERM_COLOR',
    ],
    ...[
      'GIT_AUTHOR_NAME',
      'GIT_COMMITTER_DATE',
      'GIT_TERMINAL_PROMPT',
      'GIT_OPTIONAL_LOCKS',
      'AWS_REGION',
      'LDAP_HOST',
      'LC_ALL',
      'TZ',
    ],
    ...['DATABASE_URL', 'ENVIRONMENT', 'PATHS', 'MY_PATH', '_x', 'a1'],
  ])('may set %s', (name) => expect(() => checkVariables({ [name]: 'x' })).not.toThrow());

  it.each(['PAGER', 'GIT_PAGER', 'GIT_EDITOR', 'EDITOR'])('may say with %s that nothing is to wait for a person', (name) => {
    for (const value of ['cat', 'true', ':', '']) expect(() => checkVariables({ [name]: value })).not.toThrow();
    for (const value of ['cat;id', ' cat', './cat', '!cat']) expect(() => checkVariables({ [name]: value })).toThrow();
  });

  it.each(['', '1A', 'A-B', 'A=B', 'A B', 'A\n', 'Ä', 'BASH_FUNC_ls%%', 'A\0'])('need a proper name, not %j', (name) => {
    expect(() => checkVariables({ [name]: 'x' })).toThrow(expect.objectContaining({ code: 'invalid_input' }));
  });

  it('must not hold NUL', () => {
    expect(() => checkVariables({ A: 'a\0b' })).toThrow(expect.objectContaining({ code: 'invalid_input' }));
  });
});
