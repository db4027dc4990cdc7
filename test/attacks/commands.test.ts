/** Attacks by commands against the parser alone: each goes through the tool, and each is refused. */
import { tryAll } from './commands/suite.ts';

tryAll('off');
