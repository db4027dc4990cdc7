import { knownWord, type Word } from '../shell/script.ts';
import type { Effect, ProgramClass } from './effect.ts';
import type { Arguments, Grammar, Use } from './options.ts';

export interface ReadContext {
  /** Standard input is a pipe or a file. */
  readonly piped: boolean;
  /** What comes on standard input, when it is known. */
  readonly stdin?: string | undefined;
}

/** One row of the table: what a program's arguments mean. */
export interface Program {
  /** All its names. */
  readonly names: string;
  readonly class: ProgramClass;
  /** For people: what is understood of it. */
  readonly about: string;
  readonly grammar?: Grammar;
  /** What its operands are: all of them, or the first and the others. `argv`: a command with its arguments. */
  readonly operands?: Use | 'argv' | readonly [first: Use, others: Use | 'argv'];
  /** What else it does, whatever its options; for grammars of its own. */
  read?(args: readonly Word[], taken: Arguments, context: ReadContext): Effect[];
}

/** A program that only reads the files it is given. */
export const reader = (names: string, about: string, grammar: Grammar = {}): Program => ({
  names,
  class: 'reads',
  about,
  grammar,
  operands: 'reads',
});

/** Files in the working directory that the arguments do not name one by one. */
export const SOMEWHERE_HERE: Word = knownWord('./*');
