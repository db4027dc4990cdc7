/** Chooses how limits are kept on this machine, by trying, and puts a command under them before its first instruction. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import type { ResourceLimits } from '../backend.ts';
import { openCgroupV1 } from './cgroup-v1.ts';
import { openCgroupV2 } from './cgroup-v2.ts';
import { type ControlGroup, type ControlGroups, type LimitName, removeGroup } from './control-group.ts';
import { findOwnGroups, type OwnGroups } from './own-groups.ts';
import { createReadyShells, type ReadyShell } from './ready-shells.ts';
import { rlimitScript, weaknessesOf } from './rlimits.ts';

export type Argv = readonly [string, ...string[]];

export interface Limiter {
  /** Ends of sentences: which limits are weaker here than asked for. */
  readonly notEnforced: readonly string[];
  /** Folders that hold nothing but our control groups; whatever is in them is to end with this process. */
  readonly homes: readonly string[];
  /** Makes ready for one command. @throws Failure `unavailable` when a limit cannot be set */
  prepare(limits: ResourceLimits): Promise<Limited>;
  /** Ends what is kept ready for the next command and takes the folders away, as far as no command runs. The last call. */
  close(): Promise<void>;
}

export interface Limited {
  /** Not used before. */
  readonly name: string;
  /** Where all processes of the command will be. */
  readonly group: ControlGroup | undefined;
  /** Limits that only a look at its processes from time to time completes. */
  readonly watched: Partial<ResourceLimits>;
  /** A shell under the limits that can become the command. */
  readonly ready: ReadyShell | undefined;
  /** The arguments that run `argv` under the limits. `argv[0]` is a path. */
  wrap(argv: Argv): Argv;
  /** Call once, when nothing of the command is left. */
  release(): void;
}

type Opener = (own: OwnGroups, shared?: string) => Promise<ControlGroups | undefined>;

const LIMITS: readonly LimitName[] = ['memoryBytes', 'cpus', 'processes'];

/**
 * Control groups version 2, else version 1, else the limits of processes.
 * @param open the kinds of control groups to try, in this order
 */
export async function openLimiter(open: readonly Opener[] = [openCgroupV2, openCgroupV1]): Promise<Limiter> {
  const groups = await openGroups(open);
  const missing = new Set(LIMITS.filter((limit) => !groups?.holds.has(limit)));
  const shells = groups && missing.size === 0 ? createReadyShells(groups.create) : undefined;
  return {
    notEnforced: weaknessesOf(missing),
    homes: groups?.homes ?? [],
    async close() {
      shells?.close();
      if (groups) await discard(groups);
    },
    async prepare(limits) {
      const ready = shells?.take(limits);
      const name = ready?.name ?? randomUUID();
      const group = ready?.group ?? (await groups?.create(name, limits));
      return {
        name,
        group,
        ready,
        watched: watchedOf(limits, missing),
        wrap: (argv) => enter(name, group?.entrances ?? [], rlimitScript(limits, missing), argv),
        release() {
          ready?.dismiss();
          group?.remove();
          shells?.replenish(limits);
        },
      };
    },
  };
}

/** Folder of the control groups of jobs. Servers share it, and it is none of those that end with a server. */
const JOBS_HOME = 'mcp-python-jobs';

/** The same for commands that are to outlive this process: nothing is kept ready, and nothing is taken away by `close`. */
export async function openJobLimiter(): Promise<Limiter> {
  const groups = await openGroups([openCgroupV2, openCgroupV1], JOBS_HOME);
  const missing = new Set(LIMITS.filter((limit) => !groups?.holds.has(limit)));
  return {
    notEnforced: weaknessesOf(missing),
    homes: [],
    async close() {},
    async prepare(limits) {
      const name = randomUUID();
      const group = await groups?.create(name, limits);
      return {
        name,
        group,
        ready: undefined,
        watched: watchedOf(limits, missing),
        wrap: (argv) => enter(name, group?.entrances ?? [], rlimitScript(limits, missing), argv),
        release: () => group?.remove(),
      };
    },
  };
}

function watchedOf({ memoryBytes, processes }: ResourceLimits, missing: ReadonlySet<LimitName>): Partial<ResourceLimits> {
  return { ...(missing.has('memoryBytes') && { memoryBytes }), ...(missing.has('processes') && { processes }) };
}

/**
 * The first that limits something; where none does, one that at least keeps the processes of a command together.
 * @param shared name of a folder that others use too, which is let be; absent: one of this process
 */
async function openGroups(open: readonly Opener[], shared?: string): Promise<ControlGroups | undefined> {
  const own = await findOwnGroups();
  const unlessShared = async (groups: ControlGroups) => shared === undefined && discard(groups);
  let spare: ControlGroups | undefined;
  for (const opener of open) {
    const groups = await opener(own, shared).catch(() => undefined);
    if (groups === undefined) continue;
    if (!(await canEnter(groups))) await unlessShared(groups);
    else if (groups.holds.size === 0) spare ??= groups;
    else {
      if (spare) await unlessShared(spare);
      return groups;
    }
  }
  return spare;
}

/** How long to wait for what has just been ended, milliseconds. */
const DISCARD_MS = 500;

async function discard({ homes }: ControlGroups): Promise<void> {
  await Promise.all(homes.map((home) => removeGroup(home, DISCARD_MS, true)));
}

/** Making a group may be allowed where moving into it is not. */
async function canEnter(groups: ControlGroups): Promise<boolean> {
  const group = await groups.create(randomUUID(), { memoryBytes: 2 ** 30, cpus: 1, processes: 64 });
  const [program, ...args] = enter('probe', group.entrances, '', ['/bin/sh', '-c', 'exit 0']);
  const code = await new Promise((resolve) => {
    spawn(program, args, { stdio: 'ignore', env: {} }).on('exit', resolve).on('error', resolve);
  });
  group.remove();
  return code === 0;
}

/**
 * A shell that goes into the groups, limits itself and becomes the command. A name that the environment brings in
 * as a function would run outside; special built-ins cannot be hidden by functions (POSIX, Shell Command Language 2.9.1.1).
 */
export function enter(name: string, entrances: readonly string[], rlimits: string, argv: Argv): Argv {
  const inside = entrances.map((_, index) => `echo 0 >"$${index + 1}"`).join(' && ');
  const entered =
    inside && `{ ${inside}; } 2>/dev/null || { echo "$0${REFUSAL}" >&2; exit ${REFUSED}; }; shift ${entrances.length}; `;
  return ['/bin/sh', '-c', `unset -f echo ulimit; ${entered}${rlimits}exec "$@"`, name, ...entrances, ...argv];
}

const REFUSED = 125;
const REFUSAL = ' stayed outside of its limits.';

/** Whether a command prepared under this name has not run because it could not be put under its limits. */
export function wasKeptOut(name: string, exitCode: number | null, stderr: Uint8Array): boolean {
  return exitCode === REFUSED && Buffer.from(stderr).toString('latin1') === `${name}${REFUSAL}\n`;
}
