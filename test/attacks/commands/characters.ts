/** Characters that shells, parsers and people read differently. */
import type { Attack } from './attack.ts';

const LOCALE = 'needs a shell or a locale in which it is a blank';

export const CHARACTERS: readonly Attack[] = [
  { name: 'a carriage return before a new line', command: 'true\r\nrm keep.txt' },
  { name: 'a carriage return at the end of a here-document', command: 'cat <<END\nEND\r\nEND\nrm keep.txt' },
  { name: 'a carriage return in a comment', command: 'true # harmless\r\nrm keep.txt #\r' },
  { name: 'a carriage return that hides a command on a terminal', command: 'rm keep.txt #\r echo hello     ' },
  { name: 'an escape sequence that hides a command on a terminal', command: 'rm keep.txt # \u001b[2K\u001b[1G echo hello' },
  { name: 'backspaces that hide a command on a terminal', command: `rm keep.txt #${'\b'.repeat(12)}echo hi` },
  { name: 'letters from right to left in a comment', command: 'true # \u202e\nrm keep.txt # \u2066' },
  { name: 'a mark of byte order', command: '\ufefftrue\nrm keep.txt' },
  { name: 'letters without width', command: 'echo \u200b; rm keep.txt' },
  { name: 'a link with a name that looks like an allowed one', command: './\u0441at keep.txt', links: { '\u0441at': '/bin/rm' } },
  { name: 'a link with a name of wide letters', command: './\uff52\uff4d keep.txt', links: { '\uff52\uff4d': '/bin/rm' } },
  { name: 'a link with a new line in its name', command: "./'ls\nx' keep.txt", links: { 'ls\nx': '/bin/rm' } },
  { name: 'a link with a blank in its name', command: './ls\\ x keep.txt', links: { 'ls x': '/bin/rm' } },
  { name: 'a variable named by foreign letters', command: 'x="r"; \u00e9=1 rm keep.txt; ${x}m keep.txt' },
  { name: 'a function named by foreign letters', command: '\u044f() { rm keep.txt; }; \u044f' },
  { name: 'a vertical tab as a blank', command: 'true;\u000brm keep.txt', unproved: LOCALE },
  { name: 'a form feed as a blank', command: 'true;\u000crm keep.txt', unproved: LOCALE },
  { name: 'a no-break space as a blank', command: 'true;\u00a0rm keep.txt', unproved: LOCALE },
  { name: 'an em space as a blank', command: 'rm\u2003keep.txt', unproved: LOCALE },
  { name: 'an ideographic space as a blank', command: 'true;\u3000rm\u3000keep.txt', unproved: LOCALE },
  { name: 'a line separator as a new line', command: 'true\u2028rm keep.txt', unproved: LOCALE },
  { name: 'a next-line character as a new line', command: 'true\u0085rm keep.txt', unproved: LOCALE },
  { name: 'a carriage return as a new line', command: 'true\rrm keep.txt', unproved: LOCALE },
  { name: 'a lone surrogate', command: 'echo \ud800; rm keep.txt' },
  { name: 'NUL in a script', command: 'true\0; rm keep.txt', refusal: 'invalid_input', unproved: 'no argument can hold NUL' },
  { name: 'NUL in a name', command: 'r\0m keep.txt', refusal: 'invalid_input', unproved: 'no argument can hold NUL' },
  {
    name: 'NUL in an argument',
    command: 'echo',
    args: ['a\0; rm keep.txt'],
    refusal: 'invalid_input',
    unproved: 'no argument can hold NUL',
  },
];
