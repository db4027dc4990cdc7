/** Clients of databases: what they are told can run programs here and write files here. */
import type { Word } from '../shell/script.ts';
import type { Effect } from './effect.ts';
import type { Arguments } from './options.ts';
import { connects, type Program, type ReadContext, reads, runsCode, runsFile, runsScript, unknown, writes } from './program.ts';
import { isStandardInput } from './shells.ts';
import { rest } from './unknown-words.ts';

/** Commands of the sqlite3 shell that only show something, or change how it shows it. */
const SQLITE_SHOWS =
  /^\.(?:tables|schema|mode|headers?|dump|databases|indexes|indices|width|nullvalue|separator|timer|quit|exit|help|show|stats|fullschema|print|echo|bail|explain|eqp|changes|version|timeout|sha3sum|dbinfo|dbconfig|limit|lint)(?:\s|$)/;
const SQLITE_FILES = /writefile|load_extension|fts3_tokenizer|\bedit\s*\(|\breadfile\b|\battach\b|\bvacuum\b[^;]*\binto\b/i;

function sqliteText(text: string | undefined): readonly Effect[] {
  if (text === undefined) return [unknown('gets a script that can run programs or write files')];
  const effects: Effect[] = [];
  for (const line of text.split('\n')) {
    const [, script] = /^\s*\.(?:shell|system)\s+(.*)$/.exec(line) ?? [];
    if (script !== undefined) effects.push(...runsScript(script, ''));
    else if (/^\s*\./.test(line) && !SQLITE_SHOWS.test(line.trim()))
      effects.push(unknown(`is told ${line.trim().slice(0, 20)}, which can run programs or write files`));
  }
  if (SQLITE_FILES.test(text)) effects.push(unknown('is told to read or write files'));
  return effects;
}

function readSqlite(taken: Arguments, { piped, stdin }: ReadContext): readonly Effect[] {
  const [database, ...texts] = taken.operands;
  const given = [...texts, ...taken.values('-cmd')].map(({ value }) => value);
  if (piped && texts.length === 0) given.push(stdin);
  const looks =
    given.length > 0 &&
    given.every((text) => /^\s*(?:select|explain|pragma\s+\w+\s*;?\s*$|\.)/i.test(text ?? '') && !/;\s*\S/.test(text ?? ''));
  const effects = given.flatMap(sqliteText);
  if (database && database.value !== ':memory:')
    effects.push(looks || taken.has('-readonly') ? reads(database) : writes(database));
  return effects;
}

/** Backslash commands of psql that only show something. */
const PSQL_SHOWS = /^\s*\\(?:d\w*[+S]*|l\+?|conninfo|timing|x|z|encoding|sf\+?|sv\+?|c|connect|q)(?:\s+[\w."$*?-]+)*\s*$/;

function psqlText(text: string | undefined): readonly Effect[] {
  if (text === undefined) return [unknown('gets a script that cannot be known')];
  const [, script] = /^\s*\\!\s*(.*)$/s.exec(text) ?? [];
  if (script) return runsScript(script, '');
  if (!/\\|\bprogram\b|\bcopy\b[^;]*\b(?:from|to)\b\s*'/i.test(text) || PSQL_SHOWS.test(text)) return [];
  return [unknown('gets a script that can run programs or write files')];
}

/** A pager or output that begins with `|` is a program. */
const output = (word: Word): readonly Effect[] => (word.value?.startsWith('|') ? runsScript(rest(word, 1), '') : [writes(word)]);

const fromInput = (
  language: string,
  { piped, stdin }: ReadContext,
  text: (script: string) => readonly Effect[],
): readonly Effect[] =>
  piped ? (stdin === undefined ? [runsCode(language, 'from its input')] : stdin.split('\n').flatMap(text)) : [];

const MYSQL_RUNS = /\\[!.PTeow]|^\s*(?:system|source|pager|tee|edit)\b|;\s*(?:system|source|pager|tee)\b/im;
const mysqlText = (text: string | undefined): readonly Effect[] =>
  text === undefined || MYSQL_RUNS.test(text) ? [unknown('gets a script that can run programs or write files')] : [];

export const DATABASES: readonly Program[] = [
  {
    names: 'sqlite3 sqlite duckdb litecli',
    class: 'reads',
    about: 'works on a database in a file; .shell, .system and the commands that write files are found',
    grammar: {
      oneDash: true,
      values: {
        special: '-cmd -c',
        'runs file': '-init -f',
        text: '-separator -newline -nullvalue -maxsize -vfs -heap -mmap -lookaside -pagecache',
      },
      careful: true,
    },
    read: (_args, taken, context) => readSqlite(taken, context),
  },
  {
    names: 'psql pgcli',
    class: 'writes',
    about: 'talks to PostgreSQL; \\! and the commands that write files are found',
    grammar: {
      values: {
        special: '-c --command -f --file -o --output',
        writes: '-L --log-file',
        connects: '-h --host',
        text: '-U --username -d --dbname -p --port -v --set --variable -P --pset -F --field-separator -R --record-separator -T --table-attr',
      },
      careful: true,
    },
    read: (_args, taken, context) => {
      const commands = taken.values('-c', '--command');
      const files = taken.values('-f', '--file');
      return [
        ...(taken.has('-h', '--host') ? [] : [connects()]),
        ...commands.flatMap(({ value }) => psqlText(value)),
        ...files.flatMap((file) => (isStandardInput(file) ? [runsCode('SQL', 'from its input')] : runsFile(file))),
        ...taken.values('-o', '--output').flatMap(output),
        ...(commands.length + files.length === 0 ? fromInput('SQL', context, psqlText) : []),
      ];
    },
  },
  {
    names: 'mysql mariadb mycli',
    class: 'writes',
    about: 'talks to MySQL; `system`, \\! and the commands that write files are found',
    grammar: {
      values: {
        special: '-e --execute',
        script: '--pager?',
        writes: '--tee',
        'runs file': '--plugin-dir --defaults-file --defaults-extra-file --init-command',
        connects: '-h --host',
        text: '--ssl? -u --user -p? --password? -P --port -D --database -S --socket --default-character-set --delimiter --protocol --prompt --ssl-ca --ssl-mode --connect-timeout',
      },
      careful: true,
    },
    read: (_args, taken, context) => [
      ...(taken.has('-h', '--host') ? [] : [connects()]),
      ...taken.values('-e', '--execute').flatMap(({ value }) => mysqlText(value)),
      ...(taken.has('-e', '--execute') ? [] : fromInput('SQL', context, mysqlText)),
    ],
  },
  {
    names: 'pg_dump pg_dumpall mysqldump mariadb-dump mongodump',
    class: 'writes',
    about: 'copies a database out',
    grammar: {
      values: {
        writes: '-f --file -r --result-file -T --tab -o --out',
        connects: '-h --host',
        text: '-U -u --username --user -d --dbname -p? -P --port -t --table -n --schema -F --format -j --jobs -p',
      },
    },
    read: () => [connects()],
  },
  {
    names: 'redis-cli valkey-cli',
    class: 'writes',
    about: 'talks to Redis',
    grammar: {
      values: {
        connects: '-h',
        'runs file': '--eval',
        writes: '--rdb --functions-rdb',
        text: '-p -a -n -r -i -u -d --user --pass -s --pattern',
      },
      optionsFirst: true,
      careful: true,
    },
    read: () => [connects()],
  },
  {
    names: 'mongo mongosh',
    class: 'writes',
    about: 'talks to MongoDB; runs JavaScript here',
    grammar: {
      values: { code: '--eval', connects: '--host', text: '--port -u --username -p --password --authenticationDatabase' },
      careful: true,
    },
    read: (_args, taken, { piped }) => [
      connects(),
      ...taken.operands.filter(({ value }) => value?.endsWith('.js') ?? true).flatMap(runsFile),
      ...(piped ? [runsCode('JavaScript', 'from its input')] : []),
    ],
  },
];
