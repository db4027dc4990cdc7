/** Ways to put a text into a script so that the shell gets that text. */
import fc from 'fast-check';

export const single = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
export const double = (text: string) => `"${text.replace(/[\\$`"]/g, '\\$&')}"`;
/** Every `step`-th letter as an escape of its own. */
const ansi = (text: string, step: number) =>
  `$'${[...text]
    .map((letter, index) => {
      if (/[a-z]/.test(letter) && index % step === 0) return `\\x${letter.charCodeAt(0).toString(16)}`;
      return letter.replace(/[\\']/g, '\\$&').replaceAll('\n', '\\n');
    })
    .join('')}'`;
const pieces = (text: string, at: number) => single(text.slice(0, at)) + double(text.slice(at));
const backslashes = (text: string) =>
  text === '' ? "''" : text.replace(/[^A-Za-z0-9_]/g, (letter) => (letter === '\n' ? "'\n'" : `\\${letter}`));

/** Every letter behind a backslash. */
const escaped = (text: string) => [...text].map((letter) => (letter === '\n' ? "'\n'" : `\\${letter}`)).join('');

export type Quote = (text: string) => string;

export const anyQuote: fc.Arbitrary<Quote> = fc.oneof(
  { weight: 5, arbitrary: fc.constant(single) },
  { weight: 3, arbitrary: fc.constant(double) },
  { weight: 1, arbitrary: fc.constant(backslashes) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 4 }).map((step) => (text: string) => ansi(text, step)) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 12 }).map((at) => (text: string) => pieces(text, at)) },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 1, max: 12 }).map((at) => (text: string) => single(text.slice(0, at)) + escaped(text.slice(at))),
  },
);

/** A text inside backticks, where backslashes and backticks mean more. */
export const backticks = (text: string) => `\`${text.replace(/[\\`]/g, '\\$&')}\``;
