/** What one attack by a command is: data, so that it can be run without a guard, with one, and be counted. */

/**
 * In all texts `@WORKSPACE@` and `@OUTSIDE@` are folders side by side, `@CANARY@` is a file outside, `@NEW@` one that
 * is not there yet, `@PORT@` and `@SOCKET@` are listeners on 127.0.0.1 and in the workspace. In the workspace lies
 * `keep.txt`. An attack works when a file outside or `keep.txt` is no longer as it was, or a listener was called.
 */
export interface Attack {
  readonly name: string;
  /** A script, or a program when there are `args`. */
  readonly command: string;
  readonly args?: readonly string[];
  readonly env_vars?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** Relative to the workspace. */
  readonly cwd?: string;
  /** Files that lie in the workspace, as a foreign repository would bring them; those that begin with `#!` are programs. */
  readonly files?: Readonly<Record<string, string>>;
  /** Symbolic links in the workspace. */
  readonly links?: Readonly<Record<string, string>>;
  /** Copies of programs in the workspace, by what is copied. */
  readonly copies?: Readonly<Record<string, string>>;
  /** The workspace is a git repository with two commits. */
  readonly repository?: true;
  /** Programs without which it does nothing. */
  readonly needs?: readonly string[];
  /** Why it cannot be shown to work here. */
  readonly unproved?: string;
  /** What the parser cannot see: it is tried with the sandbox on only, and may run, but must not reach anything. */
  readonly stoppedBy?: 'sandbox';
  /** Under which policy it is an attack; absent: under both. */
  readonly under?: 'deny-list' | 'allow-list';
  /** Failure code when it never gets as far as the policy. */
  readonly refusal?: 'invalid_input';
}

/** Attacks that are only a script. */
export function scripts(named: Readonly<Record<string, string>>): Attack[] {
  return Object.entries(named).map(([name, command]) => ({ name, command }));
}

/** Whether it calls a listener, so that it needs the network of this machine. */
export function isCalling(attack: Attack): boolean {
  return /127\.0\.0\.1|localhost/.test(JSON.stringify(attack));
}
