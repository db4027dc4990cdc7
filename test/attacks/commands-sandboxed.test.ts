/** Attacks by commands where the sandbox stands behind the parser: through the tool, and nothing is reached. */
import { describe } from 'vitest';
import { tryAll } from './commands/suite.ts';
import { hasBubblewrap } from './commands/throw-away.ts';

describe.skipIf(!hasBubblewrap())('in the sandbox (bubblewrap)', () => tryAll('required'));
