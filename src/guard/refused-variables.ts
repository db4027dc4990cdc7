/**
 * Environment variables that change what a command is or runs, rather than what it works on. With them an allowed
 * program becomes another one, so no caller may set them; each with the reason it is told.
 */
type Refusal = readonly [names: RegExp, reason: string];

const REFUSED: readonly Refusal[] = [
  [/^(?:LD|DYLD)_/, 'it makes the loader run other code'],
  // What ld.so(8) itself ignores for set-user-ID programs.
  [
    /^(?:GCONV_PATH|GETCONF_DIR|GLIBC_TUNABLES|HOSTALIASES|LOCALDOMAIN|LOCPATH|MALLOC_TRACE|NLSPATH|RES_OPTIONS|TZDIR)$/,
    'it makes the C library load other files',
  ],
  [/^(?:PATH|IFS|CDPATH|OLDPWD|SHELL|SHELLOPTS|BASHOPTS|PS4|GLOBIGNORE)$/, 'it changes what a command line means'],
  [/^(?:BASH_ENV|ENV|ZDOTDIR|PROMPT_COMMAND|FPATH|BASH_LOADABLES_PATH)$|^BASH_FUNC_/, 'it makes a shell run other code'],
  [
    /^(?:HOME|XDG_CONFIG_HOME|XDG_CONFIG_DIRS|INPUTRC|TERMCAP|TERMINFO|TERMINFO_DIRS)$/,
    'it makes programs read other start files',
  ],
  [/^(?:NODE_OPTIONS|NODE_PATH|NODE_REPL_EXTERNAL_MODULE|BUN_OPTIONS)$/, 'it makes Node run other code'],
  [
    /^PYTHON(?:STARTUP|PATH|HOME|INSPECT|BREAKPOINT|WARNINGS|USERBASE|EXECUTABLE|PLATLIBDIR|PYCACHEPREFIX)$/,
    'it makes Python run other code',
  ],
  [/^(?:PERL5OPT|PERL5LIB|PERLLIB|PERL5DB|PERL5SHELL|PERLIO_DEBUG)$/, 'it makes Perl run other code'],
  [/^(?:RUBYOPT|RUBYLIB|RUBYPATH|RUBYSHELL|GEM_HOME|GEM_PATH|BUNDLE_GEMFILE)$/, 'it makes Ruby run other code'],
  [/^(?:JAVA_TOOL_OPTIONS|_JAVA_OPTIONS|JDK_JAVA_OPTIONS|CLASSPATH|MAVEN_OPTS|GRADLE_OPTS)$/, 'it makes Java run other code'],
  [
    /^(?:LUA_INIT|LUA_PATH|LUA_CPATH)(?:_\d_\d)?$|^(?:PHPRC|PHP_INI_SCAN_DIR|AWKPATH|AWKLIBPATH|TCLLIBPATH|R_PROFILE|R_PROFILE_USER|R_ENVIRON|R_ENVIRON_USER|DOTNET_STARTUP_HOOKS|ERL_FLAGS|ERL_AFLAGS|ERL_ZFLAGS|ELIXIR_ERL_OPTIONS|EMACSLOADPATH|VIMINIT|EXINIT|PSQLRC)$|^(?:CORECLR|COR)_/,
    'it makes an interpreter run other code',
  ],
  [
    /^(?:LESS|LESSOPEN|LESSCLOSE|LESSKEY\w*|LESSEDIT|MORE|MANOPT|MANROFFOPT|BROWSER|SUDO_ASKPASS)$/,
    'it names a program that others run',
  ],
  [/^(?:\w*PAGER|\w*EDITOR|VISUAL|FCEDIT)$/, 'it names a program that others run'],
  [/^GIT_(?!AUTHOR_|COMMITTER_|TERMINAL_PROMPT$|OPTIONAL_LOCKS$)/, 'it makes git run other programs or use another repository'],
  [
    /^(?:SSH_ASKPASS|SSH_AUTH_SOCK|SSH_SK_PROVIDER|SVN_SSH|HGRCPATH|RSYNC_RSH|RSYNC_CONNECT_PROG|CVS_RSH|TAR_OPTIONS|TAPE|MAKEFLAGS|MFLAGS|GNUMAKEFLAGS|MAKEFILES|MAKESHELL|GREP_OPTIONS|OPENSSL_CONF|OPENSSL_MODULES|OPENSSL_ENGINES|CURL_HOME|WGETRC|RIPGREP_CONFIG_PATH|HISTFILE|BAT_CONFIG_PATH|FZF_DEFAULT_COMMAND|NODE_V8_COVERAGE|NODE_REDIRECT_WARNINGS|KUBECONFIG|AWS_CONFIG_FILE|DOCKER_CONFIG|GNUPGHOME)$/,
    'it makes a program do other things than its arguments say',
  ],
  [
    /^(?:npm_config_|NPM_CONFIG_|PIP_|CARGO_(?!TERM_)|RUSTC|GOFLAGS$|CC$|CXX$|MCP_PYTHON_)/,
    'it makes a program do other things than its arguments say',
  ],
];

/** Programs that many set as pager or editor so that nothing waits for a person. */
const HARMLESS_PROGRAMS: ReadonlySet<string> = new Set(['', 'cat', 'true', ':']);
const PAGER_OR_EDITOR =
  /^(?:(?:GIT_|MAN|SYSTEMD_|PSQL_|AWS_|DELTA_|GH_)?PAGER|(?:GIT_|GIT_SEQUENCE_|SUDO_|SVN_|HG)?EDITOR|VISUAL)$/;

/** Why a caller may not set the variable; undefined when it may. */
export function refusalOf(name: string, value: string): string | undefined {
  if (HARMLESS_PROGRAMS.has(value) && PAGER_OR_EDITOR.test(name)) return undefined;
  return REFUSED.find(([names]) => names.test(name))?.[1];
}

/** Variables that make any program run code of somebody's choosing before its own, whatever the program is. */
const FOREIGN_CODE =
  /^(?:(?:LD|DYLD)_\w+|GCONV_PATH|GETCONF_DIR|GLIBC_TUNABLES|BASH_ENV|ENV|SHELLOPTS|BASHOPTS|PS4|PROMPT_COMMAND|BASH_FUNC_\w+|BASH_LOADABLES_PATH|SUDO_ASKPASS)$/;

/**
 * Why a script may not set the variable for what it runs; undefined when it may.
 * @param strict programs are named one by one, so that no variable may turn one into another
 */
export function refusalInScript(name: string, value: string | undefined, strict: boolean): string | undefined {
  // It splits what is not known anyway.
  if (name === 'IFS') return undefined;
  if (strict) return refusalOf(name, value ?? '?');
  return FOREIGN_CODE.test(name) ? refusalOf(name, value ?? '?') : undefined;
}
