/** Editors: their commands can run programs. */
import type { Word } from '../shell/script.ts';
import type { Effect } from './effect.ts';
import type { Arguments } from './options.ts';
import { type Program, type ReadContext, reads, runsCode, runsFile, runsScript, writes } from './program.ts';
import { isStandardInput } from './shells.ts';

/** Commands of vi that only move, set an option, or leave. */
const HARMLESS =
  /^:*(?:\d*|\$|w|x|q|qa|wq|wqa|xa|wa)!?$|^:*set? (?:no)?[a-z]+(?:=\w+)?$|^:*(?:syntax|filetype) (?:on|off)$|^\/[^|]*$/;

function viCommand(word: Word): readonly Effect[] {
  return HARMLESS.test(word.value ?? ':!') ? [] : [runsCode('vi', word.source.slice(0, 40))];
}

/** `-s FILE` has commands typed from a file; behind -e, and for ex, -s only says to be silent. */
function scriptIn(args: readonly Word[], taken: Arguments): readonly Effect[] {
  const file = args[args.findIndex(({ value }) => value === '-s') + 1];
  return taken.has('-s') && !taken.has('-e', '-E', '-c') && file && file !== args[0] ? runsFile(file) : [];
}

/** ed(1): commands come on standard input, and `!` runs a shell. */
function edInput({ piped, stdin }: ReadContext): readonly Effect[] {
  if (!piped) return [];
  if (stdin === undefined) return [runsCode('ed', 'from its input')];
  const effects: Effect[] = [];
  for (const line of stdin.split('\n')) {
    const [, script] = /!(.*)$/.exec(line) ?? [];
    if (script !== undefined) effects.push(...runsScript(script, ''));
    const [, command, name] = /^[\d,$.;%+-]*\s*([wWrefE])\s+([^!\s].*)$/.exec(line) ?? [];
    if (name !== undefined) effects.push(/[wW]/.test(command ?? '') ? writes(name) : reads(name));
  }
  return effects;
}

export const EDITORS: readonly Program[] = [
  {
    names: 'ed red',
    class: 'writes',
    about: 'edits a file by commands from its input; `!` in them runs a shell',
    grammar: { values: { text: '-p --prompt' } },
    read: (_args, { operands: [file] }, context) => [
      ...(file ? (file.value?.startsWith('!') ? runsScript(file.value.slice(1), '') : [writes(file)]) : []),
      ...edInput(context),
    ],
  },
  {
    names: 'vi vim vim.basic vim.tiny vim.nox vim.gtk3 nvim ex view vimdiff rvim gvim nvi elvis vis editor sensible-editor',
    class: 'writes',
    about: 'edits files; its commands can run programs',
    grammar: {
      values: {
        special: '-c --cmd',
        'runs file': '-S -u -U -l -q',
        writes: '-w -W -i',
        code: '--remote-expr --remote-send',
        text: '-t -T -d? -p? -o? -O? --servername --server --startuptime --listen',
      },
      careful: true,
    },
    read: (args, taken, { piped }) => [
      ...taken.values('-c', '--cmd').flatMap(viCommand),
      ...scriptIn(args, taken),
      ...taken.operands.flatMap((word): readonly Effect[] => {
        if (isStandardInput(word)) return [];
        return word.value?.startsWith('+') ? viCommand({ ...word, value: word.value.slice(1) }) : [writes(word)];
      }),
      ...(piped && !taken.operands.some(isStandardInput) ? [runsCode('vi', 'from its input')] : []),
    ],
  },
  {
    names: 'emacs emacs-nox xemacs emacsclient',
    class: 'writes',
    about: 'edits files; runs Lisp',
    grammar: {
      oneDash: true,
      values: {
        code: '-eval -execute -f -funcall -e',
        'runs file': '-l -load -script -init-directory -x',
        'works in': '-chdir',
        reads: '-insert',
        text: '-name -title -d -display -a -alternate-editor -s -socket-name',
      },
      careful: true,
    },
    operands: 'writes',
  },
  {
    names: 'nano pico micro joe jmacs mg hx helix kak ne mcedit gedit kate code codium subl mousepad',
    class: 'writes',
    about: 'edits files',
    grammar: {
      values: {
        command: '-s --speller',
        'runs file': '-f --rcfile --config',
        writes: '-C --backupdir',
        text: '-r -T -Q -o -X -Y',
      },
    },
    operands: 'writes',
  },
  {
    names: 'prename file-rename perl-rename rename.pl rename',
    class: 'writes',
    about: 'renames files by a Perl expression',
    grammar: { values: { code: '-e -E' }, optionsFirst: true },
    read: (_args, taken) => [
      ...(taken.has('-e', '-E') || taken.operands.length === 0 ? [] : [runsCode('Perl', 'its first argument')]),
      ...taken.operands.slice(taken.has('-e', '-E') ? 0 : 1).map(writes),
    ],
  },
  {
    names: 'vipe vidir',
    class: 'runs',
    about: 'runs an editor',
    read: (args) => [
      ...args.filter(({ value }) => !value?.startsWith('-')).map(writes),
      ...runsFile({ source: '$EDITOR', value: undefined, expands: false }),
    ],
  },
];
