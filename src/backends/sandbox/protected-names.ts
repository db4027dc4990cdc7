/**
 * Files in folders that commands may write which others run or obey later, outside the sandbox and without being
 * asked: the next `git commit`, an editor that opens the folder, an MCP client, a login. Commands can read them.
 *
 * What a person starts on purpose (package scripts, makefiles, tests) cannot be told from a project's own work and is
 * not here, nor is what its reader asks about first (direnv, trusted folders) when it is new.
 */

export interface ProtectedName {
  /** Relative to where it counts. */
  readonly path: string;
  /** `root`: each writable folder. `home`: the home directory, where it is writable. `repository`: each git folder. */
  readonly below: 'root' | 'home' | 'repository';
  readonly kind: 'file' | 'folder';
  /**
   * `blocked`: it cannot be made either. For that an empty one is there as long as the command runs, so this is only
   * for what is harmless when empty and what git does not see. `free`: it can be made. `removed`: it can be made and is
   * gone when the command has ended, where not even an empty one is harmless.
   */
  readonly whenMissing: 'blocked' | 'free' | 'removed';
  /** It is blocked only where one of these is in the home directory: what obeys it is used on this machine. */
  readonly readers?: readonly string[];
  /** What the empty one holds, where nothing at all would mean something. */
  readonly placeholder?: string;
  /** End of a sentence, `git runs what is in it`. */
  readonly reason: string;
}

const folder = (below: ProtectedName['below'], reason: string, ...paths: string[]): ProtectedName[] =>
  paths.map((path) => ({ path, below, kind: 'folder', whenMissing: 'blocked', reason }));
const file = (
  below: ProtectedName['below'],
  whenMissing: ProtectedName['whenMissing'],
  reason: string,
  ...paths: string[]
): ProtectedName[] => paths.map((path) => ({ path, below, kind: 'file', whenMissing, reason }));
const read = (names: readonly ProtectedName[], ...readers: string[]): ProtectedName[] =>
  names.map((name) => ({ ...name, readers }));
const free = (names: readonly ProtectedName[]): ProtectedName[] => names.map((name) => ({ ...name, whenMissing: 'free' }));

export const PROTECTED_NAMES: readonly ProtectedName[] = [
  ...folder('repository', 'git runs what is in it', 'hooks'),
  ...file('repository', 'blocked', 'it names programs that git runs', 'config'),
  ...file('repository', 'free', 'it names programs that git runs', 'config.worktree'),
  ...file('repository', 'removed', 'git takes hooks and configuration from where it points', 'commondir'),

  ...read(folder('root', 'editors run tasks from it', '.vscode'), '.vscode', '.vscode-server', '.config/Code'),
  ...read(folder('root', 'Claude Code takes hooks, commands and servers from it', '.claude'), '.claude', '.claude.json'),
  ...read(
    folder('root', 'OpenCode takes plug-ins, commands and servers from it', '.opencode'),
    ...['.opencode', '.config/opencode', '.local/share/opencode'],
  ),
  // Their readers ask about new ones, not always about changed ones.
  ...free(folder('root', 'editors run tasks from it', '.idea', '.zed', '.devcontainer')),
  ...free(
    folder(
      'root',
      'coding agents take hooks, commands and servers from it',
      '.cursor',
      '.gemini',
      '.codex',
      '.windsurf',
      '.kiro',
    ),
  ),
  ...file('root', 'free', 'MCP clients start the programs it names', '.mcp.json', 'opencode.json', 'opencode.jsonc'),

  ...file('home', 'blocked', 'shells run it', '.bashrc', '.profile', '.zshrc', '.zshenv', '.zprofile', '.zlogin'),
  {
    path: '.bash_profile',
    below: 'home',
    kind: 'file',
    whenMissing: 'blocked',
    // While it exists bash reads it instead of the other.
    placeholder: '[ -r "$HOME/.profile" ] && . "$HOME/.profile"\n',
    reason: 'shells run it',
  },
  ...file('home', 'free', 'shells run it', '.bash_login', '.bash_logout', '.zlogout', '.bash_aliases', '.kshrc'),
  ...folder('home', 'shells run what is in it', '.config/fish'),
  ...folder('home', 'the desktop and systemd start what is in it', '.config/autostart', '.config/systemd'),
  ...folder('home', 'keys and trusted hosts are in it', '.ssh', '.gnupg'),
  ...folder('home', 'git runs programs it names', '.config/git'),
  ...file('home', 'blocked', 'git runs programs it names', '.gitconfig'),
  ...folder('home', 'coding agents take hooks, commands and servers from it', '.config/opencode'),
  ...file('home', 'free', 'MCP clients start the programs it names', '.claude.json'),
  ...file(
    'home',
    'free',
    'programs run code from it',
    '.vimrc',
    '.gdbinit',
    '.inputrc',
    '.tmux.conf',
    '.screenrc',
    '.pam_environment',
  ),
  ...file('home', 'free', 'a session runs it', '.xprofile', '.xinitrc', '.xsession', '.xsessionrc'),
  ...folder('home', 'programs run code from it', '.vim', '.config/nvim'),
];
