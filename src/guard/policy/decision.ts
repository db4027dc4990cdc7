/** What the policy says to a command, and why. */

export type Verdict = 'allow' | 'ask' | 'deny';

/** One rule's word on one command. */
export interface Finding {
  readonly verdict: Verdict;
  /** What decided: `blocked_commands: rm`, `rules[2]`, `profile developer`, `paths`, `script`, `environment`. */
  readonly rule: string;
  /** End of a sentence that begins with the command. */
  readonly reason: string;
}

/** One of the programs that a command would run. */
export interface DecidedCommand extends Finding {
  /** As it stands in the script. */
  readonly source: string;
  /** Name and arguments; `?` for what cannot be known before it runs. */
  readonly words: readonly string[];
  /** The file it is on the backend, links resolved; absent for shell builtins and functions, and where there is none. */
  readonly program?: string;
  /** The commands it is run by, outermost first: `env`, `sh -c`. */
  readonly within: readonly string[];
}

export interface Decision extends Finding {
  /** Everything that could run, in order; the strictest of their verdicts is the decision's. */
  readonly commands: readonly DecidedCommand[];
  /** The shell that reads the script as we did; undefined for an argument vector. */
  readonly shell?: 'sh' | 'bash';
}

const SEVERITY: Readonly<Record<Verdict, number>> = { allow: 0, ask: 1, deny: 2 };

/** The first of the strictest findings. */
export function strictest<F extends Finding>(findings: readonly F[]): F | undefined {
  let found: F | undefined;
  for (const each of findings) if (!found || SEVERITY[each.verdict] > SEVERITY[found.verdict]) found = each;
  return found;
}
