/** Kinds of configuration values that several sections have. */
import { z } from 'zod';

/** Numbers with a unit as JSON Schema can tell them too, so without flags. Groups: the amount, the unit. */
const SIZE = /^(\d+(?:\.\d+)?)\s*(?:([kKmMgG])(?:[iI]?[bB])?|[bB])?$/;
const DURATION = /^(\d+(?:\.\d+)?)\s*(ms|[smhd])?$/;
const SECONDS_OF: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 };

function readSize(text: string): number {
  const [, amount, letter = ''] = SIZE.exec(text) ?? [];
  const power = letter === '' ? 0 : 'kmg'.indexOf(letter.toLowerCase()) + 1;
  return Math.round(Number(amount) * 1024 ** power);
}

function readDuration(text: string): number {
  const [, amount, unit = 's'] = DURATION.exec(text) ?? [];
  return Number(amount) * (SECONDS_OF[unit] ?? Number.NaN);
}

/** A number, or text with a unit; the schema's output is the number. */
function quantity(unit: 'bytes' | 'seconds', limit: z.ZodNumber, pattern: RegExp, read: (text: string) => number) {
  return z
    .union([limit, z.string().trim().regex(pattern)])
    .transform((given) => (typeof given === 'string' ? read(given) : given))
    .pipe(limit)
    .meta({ unit });
}

/** A week: Node's timers reach 24 days. */
export const MAX_SECONDS = 7 * 86_400;
export const MEBIBYTE = 1024 ** 2;

/** Bytes as a number, or with a unit (`4MiB`, `2GB`); units are powers of 1024. */
export const bytes = (maximum: number) => quantity('bytes', z.int().min(1024).max(maximum), SIZE, readSize);
/** Seconds as a number, or with a unit (`500ms`, `5m`, `2h`). */
export const seconds = (minimum = 0.001) => quantity('seconds', z.number().min(minimum).max(MAX_SECONDS), DURATION, readDuration);
export const count = (maximum: number, minimum = 1) => z.int().min(minimum).max(maximum);
export const strings = () => z.array(z.string().min(1));

/** Sets of rules that come with the program. */
export const PROFILES = ['read-only', 'developer', 'unrestricted'] as const;

/** One rule of the command policy: it applies where everything it names fits, and then gives its verdict. */
export const ruleSchema = z.strictObject({
  verdict: z.enum(['allow', 'ask', 'deny']).describe('What happens: run, ask a person first, or refuse.'),
  command: z.string().min(1).optional().describe('Program, by name or path; absent: any.'),
  arguments: strings()
    .optional()
    .describe(
      'Patterns (`*` any text, `?` one character); each must fit one of the arguments. A rule with verdict `allow` needs every argument fitted.',
    ),
  tool: z.string().min(1).optional().describe('Tool the call came through; absent: any.'),
  backend: z.string().min(1).optional().describe('Backend it would run on, `native`, `ssh:*`; absent: any.'),
  principal: z.string().min(1).optional().describe('Who asks, `local` or the name of an API key; absent: anybody.'),
  reason: z.string().min(1).optional().describe('Told to the caller with the verdict.'),
});
