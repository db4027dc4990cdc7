/** The shape of most programs that run another one: options of their own, then the command. */
import type { Grammar } from './options.ts';
import type { Program } from './program.ts';

/** Runs what follows its own options. */
export const wrapper = (
  names: string,
  about: string,
  grammar: Grammar = {},
  operands: Program['operands'] | 'by reader' = 'argv',
): Program => ({
  names,
  class: 'runs',
  about,
  grammar: { optionsFirst: true, careful: true, ...grammar },
  ...(operands !== 'by reader' && { operands }),
});
