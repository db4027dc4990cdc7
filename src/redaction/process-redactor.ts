import { secretsOfEnvironment } from './environment-secrets.ts';
import { createRedactor, type Redactor } from './redactor.ts';

/**
 * The redactor of this process: a secret that one part of the program learns of must not leave by any other, so there is
 * one. It knows our own environment, read at the first text, and what references in the configuration stand for.
 */
export const redactor: Redactor = createRedactor(() => secretsOfEnvironment(process.env));
