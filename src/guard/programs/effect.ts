/** What a program does beside its own work, told by its arguments; the policy decides on each of these too. */
import type { Word } from '../shell/script.ts';

export type Effect =
  /**
   * It runs another program with these arguments (`env`, `timeout 5 …`, `xargs …`, `find -exec …`), in a folder of its
   * own where one is given (`find -execdir`), or in the one that it works in itself. `fed`: and what comes to its
   * standard input nobody knows (`coproc`).
   */
  | { readonly kind: 'runs'; readonly argv: readonly Word[]; readonly folder?: Word; readonly fed?: true }
  /**
   * It hands the text to a shell (`sh -c`, `eval`, `watch`, `find -exec sh -c`, `git -c alias.x=!…`).
   * `fed` as above (`awk '… | "sh"'`, `tar --to-command`).
   */
  | { readonly kind: 'runs script'; readonly script: Word; readonly fed?: true }
  /**
   * It runs code given in its arguments or on its standard input, in a language of which we know nothing
   * (`python -c`, `node -e`, `awk 'system(…)'`, `perl` from a pipe).
   */
  | { readonly kind: 'runs code'; readonly language: string; readonly how: string }
  /** It runs code from a file (`python x.py`, `sh build.sh`, `make`, `npm run`, `source x`); undefined: a file it finds itself. */
  | { readonly kind: 'runs file'; readonly path: Word | undefined }
  /** It reads a file whose contents it shows or uses. */
  | { readonly kind: 'reads'; readonly path: Word }
  /** It makes, changes or removes a file or folder. */
  | { readonly kind: 'writes'; readonly path: Word }
  /** Another working directory for what follows (`cd`, `git -C`, `make -C`, `env -C`, `tar -C`). */
  | { readonly kind: 'works in'; readonly path: Word }
  /** It changes the environment of what runs after it (`export X=…`, `env X=…`). */
  | { readonly kind: 'sets variable'; readonly name: string; readonly value: Word }
  /** It talks to another machine: the reason a `read-only` profile refuses it. Host where the arguments name one. */
  | { readonly kind: 'connects'; readonly host: Word | undefined }
  /** It acts on the machine itself in this use, as programs of class `controls` always do. */
  | { readonly kind: 'controls'; readonly reason: string }
  /** What it would do cannot be told from its arguments: `reason` is the end of a sentence. */
  | { readonly kind: 'unknown'; readonly reason: string };

/**
 * How dangerous the program's own work is, beside its effects: `reads` changes nothing, `writes` changes files or
 * state that the caller owns, `runs` exists to run other things, `controls` acts on the machine itself.
 */
export type ProgramClass = 'reads' | 'writes' | 'runs' | 'controls';

export interface ProgramReading {
  readonly class: ProgramClass;
  readonly effects: readonly Effect[];
}
