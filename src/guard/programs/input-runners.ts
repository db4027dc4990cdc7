/** Programs that run others with what comes on their standard input, or once for each of their inputs. */
import type { Word } from '../shell/script.ts';
import type { Effect } from './effect.ts';
import type { Arguments } from './options.ts';
import { type Program, runs, runsCode, runsFile, runsScript, unknown } from './program.ts';
import { joinedWords, LATER_WORDS, laterWord } from './unknown-words.ts';
import { wrapper } from './wrapper.ts';

/** `xargs`: what it reads is added to the command, or put in for a placeholder. */
function readXargs(taken: Arguments): readonly Effect[] {
  const { operands } = taken;
  if (operands.length === 0) return [];
  const placeholder = taken.value('-I', '-i', '--replace', '-J');
  if (placeholder && placeholder.value === undefined)
    return [...runs(operands), unknown('puts its input in where cannot be known')];
  const replaced = taken.has('-I', '-i', '--replace', '-J') ? (placeholder?.value ?? '{}') : undefined;
  if (replaced === undefined || taken.has('-J')) return runs([...operands, LATER_WORDS]);
  return runs(operands.map((word) => filledIn(word, replaced)));
}

/** A word with a placeholder for what is known later. */
function filledIn(word: Word, placeholder: string): Word {
  const at = placeholder === '' ? -1 : (word.value?.indexOf(placeholder) ?? -1);
  return at === -1 ? word : laterWord(word.value?.slice(0, at));
}

/** GNU parallel hands its words to a shell as one line, with the inputs quoted. */
function readParallel(taken: Arguments): readonly Effect[] {
  const separator = taken.operands.findIndex(({ value }) => /^:::{1,2}\+?$/.test(value ?? ''));
  const words = separator === -1 ? taken.operands : taken.operands.slice(0, separator);
  if (words.length === 0) return [unknown('runs the lines that it reads')];
  const { value } = joinedWords(words);
  if (value === undefined) return [unknown('runs a command that is computed')];
  if (value.includes('{=')) return [runsCode('Perl', '{= =}')];
  const script = value.replaceAll(/\{[\d#%./+-]*\}/g, '"$1"');
  return runsScript(script === value ? `${value} "$@"` : script, '');
}

export const INPUT_RUNNERS: readonly Program[] = [
  {
    ...wrapper('entr', 'runs a program when files change', {}, 'by reader'),
    read: (_args, taken) => (taken.has('-s') ? runsScript(taken.operands[0], 'by its option -s') : runs(taken.operands)),
  },
  {
    names: 'xargs gxargs',
    class: 'runs',
    about: 'runs a program with arguments from its input',
    grammar: {
      values: {
        reads: '-a --arg-file',
        special: '-I -i? --replace? -J',
        text: '-d --delimiter -E -e? --eof? -L -l? --max-lines? -n --max-args -P --max-procs -s --max-chars -R -S --process-slot-var',
      },
      optionsFirst: true,
      careful: true,
    },
    read: (_args, taken) => readXargs(taken),
  },
  {
    names: 'parallel sem',
    class: 'runs',
    about: 'runs a script for each of its inputs',
    grammar: {
      values: {
        reads: '-a --arg-file --basefile --bf',
        writes: '--joblog --results --res --tmpdir --tempdir',
        connects: '-S --sshlogin',
        'runs file': '-J --profile --sshloginfile --slf',
        code: '--rpl --filter',
        text: '-j --jobs -P --max-procs -n --max-args -N -L --max-lines -l? -I -i? -d --delimiter -C --colsep --tagstring --halt --block --delay --timeout --retries --load --memfree --nice -s --max-chars -X? --workdir --wd --id --semaphorename --pipe-part? --shuf? --progress?',
      },
      flags:
        '--tag --pipe --tmux --link --files --null --group --semaphore --resume --resume-failed --keep-order --dry-run --header --env --line-buffer --load-average',
      optionsFirst: true,
      careful: true,
    },
    read: (_args, taken) => readParallel(taken),
  },
  {
    names: 'run-parts',
    class: 'runs',
    about: 'runs all programs of a folder',
    grammar: { values: { text: '-a --arg -u --umask --regex' }, careful: true },
    read: (_args, taken) => (taken.has('--test', '--list') ? [] : taken.operands.flatMap(runsFile)),
  },
  {
    names: 'hyperfine',
    class: 'runs',
    about: 'measures scripts',
    grammar: {
      values: {
        program: '-S --shell',
        script: '-p --prepare -c --cleanup -s --setup --conclude',
        writes: '--export-json --export-csv --export-markdown --export-asciidoc --export-orgmode --output',
        reads: '--input',
        text: '-w --warmup -r --runs -m --min-runs -M --max-runs -n --command-name -L --parameter-list -P --parameter-scan -D --style -u --time-unit --sort',
      },
      careful: true,
    },
    operands: 'script',
  },
];
