/** Commands that are part of the shell: no file is run for them. */

/** Those that do nothing but what the script itself shows, so that a list of allowed programs need not name them. */
const PLAIN =
  ': . [ [[ alias bg break case cd command continue declare dirs disown do done echo elif else esac eval exec exit export false fg fi for getopts hash help history if in jobs let local logout popd printf pushd pwd read readonly return select set shift shopt test then times trap true type typeset ulimit umask unalias unset until wait while caller compgen complete compopt mapfile readarray source suspend builtin enable bind coproc function';

/** Those that act on other processes, which rules are about as much as about programs. */
const ACTING = 'kill';

const BUILTINS = new Set([...PLAIN.split(' '), ...ACTING.split(' ')]);
const ACTING_BUILTINS = new Set(ACTING.split(' '));

/** Whether Bash or dash runs it by itself. */
export function runsInShell(name: string): boolean {
  return BUILTINS.has(name);
}

/** Whether a list of allowed programs can pass over it: what it runs or writes is judged by itself. */
export function needsNoLeave(name: string): boolean {
  return BUILTINS.has(name) && !ACTING_BUILTINS.has(name);
}
