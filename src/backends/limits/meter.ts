/** What a running command uses, told at its end, and its end when it uses more than it may. */
import type { ExecResult, ResourceLimits, ResourceUse } from '../backend.ts';
import { type CommandTree, holdTree, killTree, treeMemory, treeTasks } from '../process-tree.ts';
import type { ControlGroup } from './control-group.ts';
import { tasksOfMachine } from './rlimits.ts';

/** How often a command is looked at, milliseconds. Without a control group, one that ends sooner has no memory told. */
const LOOK_MS = 200;

export interface Meter {
  /** Final once nothing of the command is left. */
  read(): Measured;
  stop(): void;
}

export interface Measured extends ResourceUse {
  readonly limitHit?: ExecResult['limitHit'];
}

/** @param watched limits that hold for the whole command only because it is killed past them */
export function startMeter(tree: CommandTree, watched: Partial<ResourceLimits> = {}): Meter {
  const { group } = tree;
  const { memoryBytes, processes } = watched;
  const memory = group && memoryBytes === undefined ? undefined : watchMemory(tree, memoryBytes);
  const forks = processes === undefined ? undefined : watchForks(tree, processes);
  const killing = group && watchGroup(group);
  return {
    read() {
      const { cpuMs, maxMemoryBytes = memory?.maxRssBytes(), limitHit } = group?.usage() ?? {};
      const hit = limitHit ?? (memory?.hit() ? 'memory' : forks?.hit() ? 'processes' : undefined);
      return {
        ...(cpuMs !== undefined && { cpuMs: Math.round(cpuMs) }),
        ...(maxMemoryBytes !== undefined && { maxRssBytes: maxMemoryBytes }),
        ...(hit !== undefined && { limitHit: hit }),
      };
    },
    stop() {
      memory?.stop();
      forks?.stop();
      killing?.stop();
    },
  };
}

/** Sums up what the processes of the tree have, and kills it when that is over a limit. */
function watchMemory(tree: CommandTree, limit?: number) {
  let maxRssBytes: number | undefined;
  let hit = false;
  const stop = regularly(LOOK_MS, async () => {
    const use = await treeMemory(tree, limit !== undefined);
    if (use === undefined) return;
    maxRssBytes = Math.max(maxRssBytes ?? 0, use.rssBytes);
    hit ||= limit !== undefined && use.rssBytes > limit && (await use.exactBytes()) > limit;
    if (hit) await killTree(tree);
  });
  return { maxRssBytes: () => maxRssBytes, hit: () => hit, stop };
}

/** How often the number of processes is looked at, milliseconds: a bomb makes a thousand in this time. */
const FORK_LOOK_MS = 50;

/**
 * Kills the tree when it has too many processes. They are counted, which takes long among thousands, only when the
 * whole machine has so many more that it could be; meanwhile they are stopped.
 */
function watchForks(tree: CommandTree, limit: number) {
  let before = tasksOfMachine() ?? 0;
  let hit = false;
  const stop = regularly(FORK_LOOK_MS, async () => {
    const now = tasksOfMachine() ?? 0;
    if (now - before <= limit) return;
    holdTree(tree, true);
    const tasks = await treeTasks(tree);
    before = now - tasks;
    hit ||= tasks > limit;
    if (hit) await killTree(tree);
    else holdTree(tree, false);
  });
  return { hit: () => hit, stop };
}

/** Version 1 kills one process for the memory of all and lets the others go on: a command with a part missing is seldom of use. */
function watchGroup(group: ControlGroup) {
  const stop = regularly(LOOK_MS, async () => {
    if (group.usage().limitHit === 'memory') await group.kill();
  });
  return { stop };
}

/** One look at a time. @returns what ends it */
function regularly(everyMs: number, look: () => Promise<void>): () => void {
  let looking = false;
  const timer = setInterval(async () => {
    if (looking) return;
    looking = true;
    await look();
    looking = false;
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}
