/** What a program does beside its own work, by its arguments: the table of programs and how it is read. */
import type { Word } from '../shell/script.ts';
import { ARCHIVES } from './archives.ts';
import { BUILD_TOOLS } from './build-tools.ts';
import { COMPILERS } from './compilers.ts';
import { CONTAINERS } from './containers.ts';
import { DOWNLOADS } from './downloads.ts';
import { EDITORS } from './editors.ts';
import type { ProgramReading } from './effect.ts';
import { FILE_TOOLS } from './file-tools.ts';
import { GIT } from './git.ts';
import { INPUT_RUNNERS } from './input-runners.ts';
import { INTERPRETERS } from './interpreters.ts';
import { KEYS_AND_MAIL } from './keys-and-mail.ts';
import { MAKE_AND_CMAKE } from './make-and-cmake.ts';
import { NETWORK } from './network.ts';
import { NODE_PACKAGES } from './node-packages.ts';
import { OTHER_RIGHTS } from './other-rights.ts';
import { PACKAGE_MANAGERS } from './package-managers.ts';
import { byName, type Program, type ReadContext, readRow } from './program.ts';
import { REMOTE_SHELLS } from './remote-shells.ts';
import { RUNTIMES } from './runtimes.ts';
import { RUST_AND_GO } from './rust-and-go.ts';
import { SHELL_COMMANDS } from './shell-commands.ts';
import { SHELLS } from './shells.ts';
import { SYSTEM } from './system.ts';
import { TEXT_TOOLS } from './text-tools.ts';
import { VERSION_CONTROL } from './version-control.ts';
import { VIEWERS } from './viewers.ts';
import { WRAPPERS } from './wrappers.ts';

const TABLE: readonly Program[] = [
  SHELL_COMMANDS,
  SHELLS,
  WRAPPERS,
  INPUT_RUNNERS,
  OTHER_RIGHTS,
  INTERPRETERS,
  RUNTIMES,
  FILE_TOOLS,
  TEXT_TOOLS,
  VIEWERS,
  EDITORS,
  ARCHIVES,
  GIT,
  VERSION_CONTROL,
  BUILD_TOOLS,
  MAKE_AND_CMAKE,
  COMPILERS,
  RUST_AND_GO,
  PACKAGE_MANAGERS,
  NODE_PACKAGES,
  CONTAINERS,
  NETWORK,
  DOWNLOADS,
  KEYS_AND_MAIL,
  REMOTE_SHELLS,
  SYSTEM,
].flat();

const BY_NAME = byName(TABLE);

/** Names of all programs that the table knows. */
export const KNOWN_PROGRAMS: ReadonlySet<string> = new Set(BY_NAME.keys());

/**
 * @param name plain name of the program after resolution: `git`, `python3.11`
 * @returns undefined for a program that the table does not know
 */
export function readProgram(name: string, args: readonly Word[], context: ReadContext): ProgramReading | undefined {
  const program = find(name);
  if (!program) return undefined;
  return { class: program.class, effects: readRow(program, args, context) };
}

/** One line on what is understood of a program, for people; undefined for one that the table does not know. */
export function describeProgram(name: string): string | undefined {
  const program = find(name);
  if (!program) return undefined;
  const { about, grammar } = program;
  const told = SHOWN_USES.flatMap(([use, says]) => {
    const options = grammar?.values?.[use]?.replaceAll('?', '').split(' ').join(', ');
    return options ? [`${says} ${options}`] : [];
  });
  return [about, ...told].join('; ');
}

const SHOWN_USES = [
  ['program', 'runs the program of'],
  ['command', 'runs the command of'],
  ['script', 'runs the script of'],
  ['filter', 'runs the script of'],
  ['code', 'runs the code of'],
  ['runs file', 'runs the file of'],
  ['special', 'looks into'],
  ['writes', 'writes the file of'],
  ['works in', 'works in the folder of'],
  ['unknown', 'is not followed with'],
] as const;

/** `python3.11` → python3 → python, `x86_64-linux-gnu-gcc-12` → gcc. */
function find(name: string): Program | undefined {
  const exact = BY_NAME.get(name);
  if (exact) return exact;
  if (/^ld(?:-linux|-musl|64\.so|\.so|-\d)/.test(name)) return BY_NAME.get('ld.so');
  if (/^qemu-\w+(?:-static)?$/.test(name)) return BY_NAME.get('qemu-user');
  const plain = name.replace(/^(?:\w+-){2,3}(?=(?:gcc|g\+\+|cpp|ld|as|ar|nm|strip|objcopy|objdump|readelf|ranlib)(?:-|$))/, '');
  const program = BY_NAME.get(plain.replace(/-?\d+(?:\.\d+)*[a-z]?$/, '')) ?? BY_NAME.get(plain);
  return program?.versioned ? program : undefined;
}
