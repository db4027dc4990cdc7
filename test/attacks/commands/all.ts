/** Every class of attacks by commands. */
import type { Attack } from './attack.ts';
import { CHARACTERS } from './characters.ts';
import { DISAGREEMENTS } from './disagreements.ts';
import { ENVIRONMENT } from './environment.ts';
import { EVALUATION } from './evaluation.ts';
import { FOLDERS } from './folders.ts';
import { INNER_LANGUAGES } from './inner-languages.ts';
import { INTERPRETERS } from './interpreters.ts';
import { MANY_COMMANDS } from './many-commands.ts';
import { NETWORK } from './network.ts';
import { OTHER_NAMES } from './other-names.ts';
import { PROGRAMS_THAT_RUN } from './programs-that-run.ts';
import { PROGRAMS_THAT_WRITE } from './programs-that-write.ts';
import { REDIRECTIONS } from './redirections.ts';
import { SEPARATORS } from './separators.ts';
import { SUBSTITUTIONS } from './substitutions.ts';

export const CLASSES: Readonly<Record<string, readonly Attack[]>> = {
  'a blocked program in a substitution': SUBSTITUTIONS,
  'a blocked program by another name': OTHER_NAMES,
  'a blocked program beside others': SEPARATORS,
  'more than a checker looks at': MANY_COMMANDS,
  'an allowed program that runs another': PROGRAMS_THAT_RUN,
  'a program that writes elsewhere': PROGRAMS_THAT_WRITE,
  'a redirection elsewhere': REDIRECTIONS,
  'an interpreter': INTERPRETERS,
  'the environment': ENVIRONMENT,
  'the network': NETWORK,
  'strange characters': CHARACTERS,
  'what readers disagree about': DISAGREEMENTS,
  'a value that is evaluated': EVALUATION,
  'a language of a program': INNER_LANGUAGES,
  'another folder': FOLDERS,
};
