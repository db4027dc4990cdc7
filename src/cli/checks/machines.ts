/** Whether the machines that the configuration names can be used. */
import type { Config } from '../../config/schema.ts';
import { toFailure } from '../../errors.ts';
import type { GuardedBackend } from '../../guard/guarded-backend.ts';
import { type Check, fail, ok, warn } from './check.ts';

/** Each by the name of its backend; the one that is the default is needed, the others are looked at. */
export async function checkMachines(config: Config, backend: (name: string) => Promise<GuardedBackend>): Promise<Check[]> {
  const names = config.host_agents.map(({ name }) => `host_agent:${name}`);
  const { mode } = config.execution;
  const all = mode === 'host_agent' && names.length === 0 ? [mode] : names;
  return Promise.all(all.map((name, index) => checkMachine(name, backend, mode === 'host_agent' && index === 0)));
}

async function checkMachine(name: string, backend: (name: string) => Promise<GuardedBackend>, needed: boolean): Promise<Check> {
  const hint = 'Is `mcp-python host-agent` running there, and may you use it? See `man mcp-python-host-agent`.';
  const bad = needed ? fail : warn;
  try {
    const { ok: healthy, latencyMs, message = 'it does not answer as it should' } = await (await backend(name)).health();
    return healthy ? ok(name, `answers in ${latencyMs} ms`) : bad(name, message, hint);
  } catch (thrown) {
    const failure = toFailure(thrown);
    return bad(name, failure.message, failure.hint ?? hint);
  }
}
