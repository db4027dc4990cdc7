/** The program of an agent's thread when it runs from source. */
import { runAgent } from './agent.ts';

void runAgent();
