/** The server's own way to a command, configured to withstand the attacks. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../../../src/config/load.ts';
import { LOCAL_PRINCIPAL } from '../../../src/identity/principal.ts';
import type { ToolOutcome } from '../../../src/orchestrator/orchestrator.ts';
import { createRuntime } from '../../../src/runtime.ts';
import { type Arena, createArena } from './arena.ts';
import type { Attack } from './attack.ts';

export type Policy = 'deny-list' | 'allow-list';

const LISTS: Readonly<Record<Policy, Readonly<Record<string, readonly string[]>>>> = {
  'deny-list': { 'execution.security.blocked_commands': 'rm curl sudo dd wget nc'.split(' ') },
  'allow-list': {
    'execution.security.allowed_commands': 'git npm ls cat grep find sed awk tar sort xargs env echo python3 node'.split(' '),
  },
};

export interface Guarded extends AsyncDisposable {
  readonly arena: Arena;
  /** Has the tool run the attack. */
  run(attack: Attack): Promise<Outcome>;
}

export interface Outcome {
  readonly outcome: ToolOutcome;
  /** What became of the canaries, `[]` when nothing. */
  readonly reached: readonly string[];
  /** What the audit log got: `command: deny`, `call: denied`. */
  readonly records: readonly string[];
}

export async function createGuarded(policy: Policy, sandbox: 'off' | 'required'): Promise<Guarded> {
  const arena = await createArena();
  const state = join(arena.base, 'state');
  const flags = {
    'execution.workspace': arena.workspace,
    'execution.security.path_restrictions': [arena.workspace],
    'execution.security.sandbox': sandbox,
    'state.directory': state,
    ...LISTS[policy],
  };
  const runtime = await createRuntime(await loadConfig({ flags, environment: { HOME: join(arena.base, 'home') } }));
  const caller = {
    principal: LOCAL_PRINCIPAL,
    signal: new AbortController().signal,
    ask: {
      can: { elicitation: false, sampling: false, roots: false },
      request: () => Promise.reject(new Error('Nobody is there to ask.')),
      state: undefined,
    },
  };
  const seen = new Map<string, number>();

  /** What came to the audit log since this was asked for the last time. */
  function newRecords(): string[] {
    const folder = join(state, 'audit');
    const files = readdirSync(folder).filter((name) => name.endsWith('.jsonl'));
    return files.sort().flatMap((name) => {
      const text = readFileSync(join(folder, name));
      const fresh = text.subarray(seen.get(name) ?? 0).toString();
      seen.set(name, text.length);
      return fresh.split('\n').filter(Boolean).flatMap(tellRecord);
    });
  }

  return {
    arena,
    async run(attack) {
      const { command, args, env_vars, stdin, cwd } = arena.prepare(attack);
      const outcome = await runtime.orchestrator.call(
        {
          tool: 'execute_command',
          arguments: {
            command,
            timeout: 15,
            ...(args && { args: [...args] }),
            ...(env_vars && { env_vars: { ...env_vars } }),
            ...(stdin !== undefined && { stdin }),
            ...(cwd !== undefined && { working_directory: cwd }),
          },
        },
        caller,
      );
      return { outcome, reached: arena.reached(), records: newRecords() };
    },
    async [Symbol.asyncDispose]() {
      await runtime[Symbol.asyncDispose]();
      await arena[Symbol.asyncDispose]();
    },
  };
}

function tellRecord(line: string): string[] {
  const { event, verdict, outcome } = JSON.parse(line) as { event: string; verdict?: string; outcome?: string };
  if (event === 'command') return [`command: ${verdict}`];
  return event === 'call' || event === 'command_end' ? [`${event}: ${outcome}`] : [];
}
