import type { AuditEntry } from '../audit/audit-log.ts';
import type { Failure } from '../errors.ts';
import type { JsonObject } from '../tools/tool.ts';
import type { Task } from './task-ledger.ts';
import type { Caller } from './tool-run.ts';

/** Arguments that name what a call acts on. */
const TARGETS = ['file_path', 'directory', 'url', 'repository', 'database', 'channel', 'job_name', 'command'] as const;

/** A call that has ended, as the audit log keeps it. */
export function callRecord(task: Task, { principal, session }: Caller, values: JsonObject, failure?: Failure): AuditEntry {
  const { state } = task;
  const target = targetOf(values);
  return {
    event: 'call',
    principal: principal.id,
    principal_name: principal.name,
    ...(session !== undefined && { session }),
    task: task.id,
    tool: task.tool,
    outcome: refused(failure) ? 'denied' : state === 'queued' || state === 'running' ? 'failed' : state,
    ...(task.code !== undefined && { code: task.code }),
    ...(failure && { reason: failure.message }),
    duration_ms: (task.endedMs ?? Date.now()) - task.createdMs,
    ...(target !== undefined && { target }),
  };
}

function refused(failure: Failure | undefined): boolean {
  return failure?.code === 'denied' || failure?.code === 'needs_approval';
}

function targetOf(values: JsonObject): string | undefined {
  for (const name of TARGETS) {
    const value = values[name];
    if (typeof value === 'string') return value.slice(0, 1000);
  }
  return undefined;
}
