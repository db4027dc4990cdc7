/** The whole life of a host agent: started, read anew, stopped. */
import { join } from 'node:path';
import type { AuditEntry, AuditLog } from '../audit/audit-log.ts';
import { openOnFirstUse } from '../audit/first-use.ts';
import type { LoadedConfig } from '../config/load.ts';
import { keysFolder } from '../identity/key-record.ts';
import { redactor } from '../redaction/process-redactor.ts';
import { stateFolder } from '../state/folders.ts';
import { VERSION } from '../version.ts';
import { createHosts, type Hosts, openUserMachines } from './hosts.ts';
import { type Listening, listen } from './listen.ts';
import { createDoor, type Door } from './peers.ts';
import { type Agent, createAgent, type FinishedCall, type Patience } from './server.ts';

/** An agent that listens. */
export interface RunningAgent {
  readonly places: Listening['places'];
  readonly users: readonly string[];
  /**
   * Policy, users and certificates as the configuration has them now; what runs is not touched. Sockets, limits of
   * requests and the state folder stay.
   * @throws Failure `invalid_config`; then all stays as it was
   */
  reload(loaded: LoadedConfig): Promise<void>;
  close(): Promise<void>;
}

/** @throws Failure `invalid_config`, `unavailable` */
export async function runHostAgent(loaded: LoadedConfig, patience?: Patience): Promise<RunningAgent> {
  const { config } = loaded;
  const state = stateFolder(config.state.directory);
  const folder = join(state, 'host-agent');
  const audit = auditLogOf(loaded, folder);
  const machines = openUserMachines(folder);
  const assemble = ({ config: present, files }: LoadedConfig): { hosts: Hosts; door: Door } => ({
    hosts: createHosts({ config: present, files, state, folder, machines, audit }),
    door: createDoor({
      settings: present.host_agent,
      keys: keysFolder(state),
      onRefused: (reason, address) => void audit?.record({ event: 'access', what: 'refused', address, reason }).catch(() => {}),
    }),
  });
  let current = assemble(loaded);
  const agent: Agent = createAgent({
    settings: config.host_agent,
    folder,
    current: () => current,
    ...(patience && { patience }),
    onCall: (call) => void audit?.record(recordOf(call)).catch(() => {}),
    onLimited: limitedTeller(audit),
  });
  const close = async () => {
    await agent.close();
    await machines[Symbol.asyncDispose]();
    await audit?.[Symbol.asyncDispose]();
  };
  let listening: Listening;
  try {
    // Before somebody asks: a user that cannot be used is told at the start.
    for (const user of current.hosts.users) await current.hosts.as(user);
    listening = await listen(agent, config.host_agent, state);
  } catch (thrown) {
    await close();
    throw thrown;
  }
  return {
    places: listening.places,
    users: current.hosts.users,
    async reload(anew) {
      const next = assemble(anew);
      for (const user of next.hosts.users) await next.hosts.as(user);
      await listening.reload(anew.config.host_agent);
      current = next;
    },
    async close() {
      listening.leave();
      await close();
    },
  };
}

function recordOf({ principal, tool, task, outcome, durationMs, target }: FinishedCall): AuditEntry {
  const failure = 'failure' in outcome ? outcome.failure : undefined;
  return {
    event: 'call',
    principal: principal.id,
    principal_name: principal.name,
    ...{ task, tool },
    outcome: !failure ? 'completed' : failure.code === 'denied' ? 'denied' : 'failed',
    ...(failure && { code: failure.code, reason: failure.message }),
    duration_ms: durationMs,
    ...(target !== undefined && { target }),
  };
}

const MINUTE_MS = 60_000;

/** Tells of a peer that asks for too much, once a minute. */
function limitedTeller(audit: AuditLog | undefined) {
  const told = new Map<string, number>();
  return ({ id }: { readonly id: string }) => {
    const nowMs = performance.now();
    if (nowMs - (told.get(id) ?? Number.NEGATIVE_INFINITY) < MINUTE_MS) return;
    told.set(id, nowMs);
    const reason = 'More requests at once than host_agent.max_concurrent.';
    void audit?.record({ event: 'access', what: 'limited', principal: id, reason }).catch(() => {});
  };
}

/** The agent's own log, beside that of a server with the same state folder. */
function auditLogOf({ config: { audit, state } }: LoadedConfig, folder: string): AuditLog | undefined {
  if (!audit.enabled) return undefined;
  const open = async () => {
    const { openAuditLog } = await import('../audit/open-audit-log.ts');
    return openAuditLog({
      directory: audit.directory || join(folder, 'audit'),
      stateDirectory: stateFolder(state.directory),
      required: audit.required,
      maxFileBytes: audit.max_file_bytes,
      maxFileAgeSeconds: audit.max_file_age,
      keepFiles: audit.keep_files,
      redact: (text) => redactor.text(text),
      onFailure: (message) => process.stderr.write(`mcp-python: ${message}\n`),
    });
  };
  const life = { version: VERSION, role: 'host-agent' };
  return openOnFirstUse(open, { start: { event: 'start', ...life }, stop: { event: 'stop', ...life } });
}
