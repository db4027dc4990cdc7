/**
 * Shells that wait inside their control groups for a command to become. Going into a group makes the kernel wait for
 * all processors when it has not been done for a while, 5 to 25 ms; done ahead, a command does not feel it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import type { Readable, Writable } from 'node:stream';
import type { ResourceLimits } from '../backend.ts';
import type { ControlGroup } from './control-group.ts';
import { type Argv, enter } from './limiter.ts';

export interface ReadyShell {
  readonly group: ControlGroup;
  /** What its group is named after. */
  readonly name: string;
  /**
   * Makes it the command, with nothing on standard input.
   * @param statusPipe leave descriptor 3 open
   * @returns undefined when only a fresh start can do that
   */
  become(argv: Argv, cwd: string, env: Readonly<Record<string, string>>, statusPipe: boolean): ChildProcess | undefined;
  /** Ends it if it has not become a command. */
  dismiss(): void;
}

export interface ReadyShells {
  /** One for these limits if there is one. */
  take(limits: ResourceLimits): ReadyShell | undefined;
  /** A command has ended: a good moment to start the shell for the next one. */
  replenish(limits: ResourceLimits): void;
  /** Ends those that wait. More come with the next command. */
  close(): void;
}

/** How many wait: some clients call two tools at once. */
const SPARE = 2;
/** How long they wait after the last command, milliseconds. */
const REST_MS = 60_000;

/** @param create makes a group with its limits */
export function createReadyShells(create: (name: string, limits: ResourceLimits) => Promise<ControlGroup>): ReadyShells {
  let waiting: Promise<ReadyShell | undefined>[] = [];
  let ready: ReadyShell[] = [];
  let limitsOfAll = '';
  let resting: NodeJS.Timeout | undefined;
  let refilling: NodeJS.Timeout | undefined;
  let refillAtMs = Number.POSITIVE_INFINITY;

  /** Starting one stops this thread for some milliseconds: not while a short command is about to answer. */
  function refillIn(ms: number, limits: ResourceLimits) {
    const atMs = performance.now() + ms;
    if (atMs >= refillAtMs) return;
    clearTimeout(refilling);
    refillAtMs = atMs;
    refilling = setTimeout(() => {
      refillAtMs = Number.POSITIVE_INFINITY;
      if (JSON.stringify(limits) === limitsOfAll) refill(limits);
    }, ms).unref();
  }

  function refill(limits: ResourceLimits) {
    while (ready.length + waiting.length < SPARE) {
      const starting = startShell(randomUUID(), limits, create).catch(() => undefined);
      waiting.push(starting);
      void starting.then((shell) => {
        const wanted = waiting.includes(starting);
        waiting = waiting.filter((other) => other !== starting);
        if (wanted && shell) ready.push(shell);
        else shell?.dismiss();
      });
    }
  }

  function close() {
    clearTimeout(resting);
    clearTimeout(refilling);
    refillAtMs = Number.POSITIVE_INFINITY;
    limitsOfAll = '';
    waiting = [];
    for (const shell of ready) shell.dismiss();
    ready = [];
  }

  return {
    close,
    take(limits) {
      const key = JSON.stringify(limits);
      if (key !== limitsOfAll) close();
      limitsOfAll = key;
      clearTimeout(resting);
      resting = setTimeout(close, REST_MS).unref();
      refillIn(DURING_COMMAND_MS, limits);
      return ready.shift();
    },
    replenish: (limits) => refillIn(AFTER_COMMAND_MS, limits),
  };
}

/** A command that runs for longer than this does not feel it. */
const DURING_COMMAND_MS = 150;
/** The answer is on its way by then. */
const AFTER_COMMAND_MS = 4;

async function startShell(
  name: string,
  limits: ResourceLimits,
  create: (name: string, limits: ResourceLimits) => Promise<ControlGroup>,
): Promise<ReadyShell> {
  const group = await create(name, limits);
  const [program, ...args] = enter(name, group.entrances, '', ['/bin/sh', '-s', 'mcp-python']);
  const child = spawn(program, args, { cwd: '/', env: {}, detached: true, stdio: ['pipe', 'pipe', 'pipe', 'pipe'] });
  const streams = child.stdio as unknown as (Readable | Writable)[];
  let ended = false;
  let used = false;
  child.on('exit', () => {
    ended = true;
    if (!used) group.remove();
  });
  child.on('error', () => {
    ended = true;
    group.remove();
  });
  for (const stream of streams) stream.on('error', () => {});
  hold(child, false);

  return {
    group,
    name,
    become(argv, cwd, env, statusPipe) {
      const script = scriptFor(argv, cwd, env, statusPipe);
      if (ended || script === undefined) return undefined;
      used = true;
      hold(child, true);
      child.stdin?.end(script);
      return child;
    },
    dismiss() {
      // It ends when it has nothing to read any more.
      if (!used) child.stdin?.end();
    },
  };
}

/** Whether this process lives on for it. */
function hold(child: ChildProcess, held: boolean): void {
  const call = held ? 'ref' : 'unref';
  child[call]();
  for (const stream of child.stdio) (stream as unknown as { ref?(): void; unref?(): void } | null)?.[call]?.();
}

/** Longer ones are told by a fresh start to be too long, if they are. */
const MAX_SCRIPT = 100_000;
/** Variables that mean something to one shell or another, or that it sets itself. */
const OF_SHELLS =
  /^(?:_|BASH.*|COLUMNS|COMP_.*|COPROC|DIRSTACK|ENV|EPOCH.*|EUID|FC.*|FPATH|FUNC.*|GROUPS|HIST.*|HOSTTYPE|IFS|KSH.*|LINENO|LINES|MACHTYPE|MAIL.*|MAPFILE|OLDPWD|OPT.*|OSTYPE|PIPESTATUS|POSIX.*|PPID|PROMPT.*|PS\d|PWD|RANDOM|READLINE.*|REPLY|SECONDS|SHELLOPTS|SHLVL|SRANDOM|TMOUT|UID|ZSH.*)$/;

function scriptFor(argv: Argv, cwd: string, env: Readonly<Record<string, string>>, statusPipe: boolean): string | undefined {
  const variables = Object.entries(env);
  if (variables.some(([name]) => !/^[A-Za-z_]\w*$/.test(name) || OF_SHELLS.test(name))) return undefined;
  const exported = variables.map(([name, value]) => ` ${name}=${quoted(value)}`).join('');
  const arguments_ = argv.map(quoted).join(' ');
  const script = `cd -P ${quoted(cwd)} || exit 126; unset OLDPWD; export${exported}; exec ${arguments_} </dev/null${statusPipe ? '' : ' 3>&-'}\n`;
  return script.length > MAX_SCRIPT || script.includes('\0') ? undefined : script;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
