/** Running a command behind the guard: decided, approved, confined, recorded, and only then run. */
import { createHash } from 'node:crypto';
import type { AuditEntry, AuditLog } from '../audit/audit-log.ts';
import type { Backend, Command, ExecIO, ExecRequest, ExecResult, JobRequest } from '../backends/backend.ts';
import { Failure } from '../errors.ts';
import { redactor } from '../redaction/process-redactor.ts';
import type { ApprovalMatter, Approvals } from './approvals.ts';
import { environmentInside, type SandboxDecision } from './confinement.ts';
import type { GuardedCall } from './guarded-call.ts';
import type { Decision } from './policy/decision.ts';
import { safeText } from './text.ts';

/** How a command ended, and what of its confinement does not hold here (told once for each server). */
export interface GuardedExecResult extends ExecResult {
  readonly notEnforced?: readonly string[];
}

export interface ExecGuard {
  readonly backend: Backend;
  readonly audit: AuditLog | undefined;
  readonly approvals: Approvals;
  /** What every command starts with. */
  readonly environment: Readonly<Record<string, string>>;
  /** Undefined where commands are not validated. */
  decide(request: ExecRequest, call: GuardedCall, sandboxed: boolean): Promise<Decision | undefined>;
  sandbox(): Promise<SandboxDecision>;
  /** What does not hold, the first time it is asked for. */
  tellOnce(gaps: readonly string[]): readonly string[];
}

/** @param request already within its limits: paths, variables, time and output */
export async function execGuarded(
  guard: ExecGuard,
  request: ExecRequest,
  io: ExecIO,
  call: GuardedCall,
): Promise<GuardedExecResult> {
  const { backend, audit } = guard;
  const { confined, notEnforced } = await admit(guard, request, call);
  try {
    const result = await backend.exec(confined, io);
    await audit?.record(endOf(call, backend.name, result));
    const gaps = guard.tellOnce(notEnforced);
    return gaps.length > 0 ? { ...result, notEnforced: gaps } : result;
  } catch (thrown) {
    await audit?.record(failedEnd(call, backend.name));
    throw thrown;
  }
}

/** A command that may be run, as it may be run. Its record is written. */
export interface Admitted<R extends ExecRequest> {
  readonly confined: R;
  /** Ends of sentences: what is asked for and does not hold. */
  readonly notEnforced: readonly string[];
}

/**
 * Decides on a command, has it approved where that is asked for, and records it.
 * @throws Failure `denied`, `needs_approval`
 */
export async function admit<R extends ExecRequest>(guard: ExecGuard, request: R, call: GuardedCall): Promise<Admitted<R>> {
  const { backend, audit } = guard;
  const sandbox = await guard.sandbox();
  const decision = await guard.decide(request, call, sandbox.confinement !== undefined);
  const commandRecord = recordOf(call, request, backend.name, sandbox, decision);
  if (decision?.verdict === 'deny') {
    await audit?.record(commandRecord);
    throw denied(decision);
  }
  const approval = decision?.verdict === 'ask' ? await approve(guard, request, call, decision, commandRecord) : undefined;
  await audit?.record(approval ? { ...commandRecord, approval } : commandRecord);
  const confined: R = {
    ...request,
    command: inShell(request.command, decision),
    ...(sandbox.confinement && { confinement: sandbox.confinement, env: environmentInside(request.env) }),
  };
  return { confined, notEnforced: sandbox.notEnforced };
}

/** A script that only Bash reads as we did is run by Bash. */
function inShell(command: Command, decision: Decision | undefined): Command {
  if (command.kind !== 'script' || decision?.shell !== 'bash') return command;
  return { kind: 'argv', argv: ['bash', '-c', command.script, 'bash', ...(command.args ?? [])] };
}

async function approve(
  { approvals, audit, environment }: ExecGuard,
  request: ExecRequest,
  call: GuardedCall,
  decision: Decision,
  commandRecord: AuditEntry & { event: 'command' },
): Promise<string> {
  const matter = matterOf(request, call, commandRecord.backend, decision, environment);
  const decided = async (answer: 'once' | 'session' | 'declined' | 'expired', by: string) => {
    await audit?.record({
      ...auditedCall(call),
      event: 'approval',
      backend: matter.backend,
      command: matter.command,
      decision: answer,
      by,
    });
  };
  const given = await approvals.take(matter);
  if (given === 'declined') {
    await audit?.record(commandRecord);
    throw declined(decision);
  }
  if (given) {
    await decided(given, 'terminal');
    return given;
  }
  if (!call.askPerson) {
    const { id } = await approvals.submit(matter);
    await audit?.record(commandRecord);
    throw needsApproval(decision, id);
  }
  const answer = await call.askPerson({ key: `approve-${shortDigest(matter)}`, message: question(matter) });
  await decided(answer, 'client');
  if (answer === 'declined') {
    await audit?.record(commandRecord);
    throw declined(decision);
  }
  if (answer === 'session') approvals.remember(matter);
  return answer;
}

function matterOf(
  { command, cwd, env, stdin, openInput }: ExecRequest & Partial<Pick<JobRequest, 'openInput'>>,
  call: GuardedCall,
  backend: string,
  { reason }: Decision,
  ownEnvironment: Readonly<Record<string, string>>,
): ApprovalMatter {
  const words = command.kind === 'script' ? ['sh', command.script, ...(command.args ?? [])] : [...command.argv];
  return {
    command: redactor.text(textOf(command)),
    circumstances: circumstancesOf(cwd, addedTo(ownEnvironment, env), stdin, openInput === true),
    backend,
    principal: call.principal.id,
    tool: call.tool,
    reason,
    binding: JSON.stringify([
      ...[command.kind, words, cwd, env, stdin ? Buffer.from(stdin).toString('base64') : ''],
      ...(openInput ? ['open input'] : []),
    ]),
    session: call.session,
  };
}

const addedTo = (own: Readonly<Record<string, string>>, env: Readonly<Record<string, string>>) =>
  Object.entries(env).filter(([name, value]) => own[name] !== value);

/** Characters of standard input that a person is shown. */
const SHOWN_INPUT = 500;

function circumstancesOf(
  cwd: string,
  variables: readonly (readonly [string, string])[],
  stdin: Uint8Array | undefined,
  openInput: boolean,
): readonly string[] {
  const lines = [`in the folder ${cwd}`];
  if (variables.length > 0) lines.push(`with ${variables.map(([name, value]) => `${name}=${value}`).join(', ')}`);
  if (stdin && stdin.byteLength > 0) {
    const text = new TextDecoder().decode(stdin.subarray(0, SHOWN_INPUT));
    lines.push(`fed ${stdin.byteLength} bytes: ${text}${stdin.byteLength > SHOWN_INPUT ? ' …' : ''}`);
  } else if (openInput) lines.push('fed later with what nobody knows yet');
  return lines.map((line) => redactor.text(line));
}

/** What comes from the caller is indented: no line of it can pass for one of ours. */
function question({ command, circumstances, backend, reason }: ApprovalMatter): string {
  const indented = (text: string) => safeText(text).replace(/^/gm, '    ');
  const around = circumstances.map((line) => indented(line)).join('\n');
  return `May this command run on ${backend}?\n\n${indented(command)}\n\n${around}\n\nYou are asked because ${reason}.`;
}

function shortDigest({ binding }: ApprovalMatter): string {
  return createHash('sha256').update(binding).digest('hex').slice(0, 16);
}

/** The command as people and records see it. */
export function textOf(command: Command): string {
  if (command.kind === 'script') return [command.script, ...(command.args ?? [])].join(' ');
  return command.argv.map((word) => (/^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');
}

function auditedCall({ principal, session, taskId, tool }: GuardedCall) {
  return {
    principal: principal.id,
    principal_name: principal.name,
    ...(session !== undefined && { session }),
    task: taskId,
    tool,
  };
}

function recordOf(
  call: GuardedCall,
  { command, cwd }: ExecRequest,
  backend: string,
  sandbox: SandboxDecision,
  decision: Decision | undefined,
): AuditEntry & { event: 'command' } {
  return {
    ...auditedCall(call),
    event: 'command',
    backend,
    command: textOf(command),
    parsed: decision?.commands.filter(({ words }) => words.length > 0).map(({ words }) => words.join(' ')) ?? [],
    verdict: decision?.verdict ?? 'allow',
    rule: decision?.rule ?? 'command_validation: false',
    ...(decision && decision.verdict !== 'allow' && { reason: decision.reason }),
    working_directory: cwd,
    sandbox: sandbox.name,
  };
}

function endOf(call: GuardedCall, backend: string, result: ExecResult): AuditEntry {
  return {
    ...auditedCall(call),
    event: 'command_end',
    backend,
    outcome: result.outcome,
    exit_code: result.exitCode,
    signal: result.signal,
    stdout_bytes: result.stdout.totalBytes,
    stderr_bytes: result.stderr.totalBytes,
    duration_ms: result.durationMs,
  };
}

/** What is recorded of a command that was admitted and could not be run. */
export function failedEnd(call: GuardedCall, backend: string): AuditEntry {
  return {
    ...auditedCall(call),
    event: 'command_end',
    backend,
    outcome: 'failed',
    exit_code: null,
    signal: null,
    stdout_bytes: 0,
    stderr_bytes: 0,
    duration_ms: 0,
  };
}

function denied(decision: Decision): Failure {
  return new Failure('denied', `The command is not allowed: ${safeText(decision.reason)} (${decision.rule}).`, {
    hint: hintFor(decision),
    details: detailsOf(decision),
  });
}

function hintFor({ rule }: Decision): string {
  if (rule === 'script')
    return 'Write programs and file names out instead of computing them, or split the script into simpler calls.';
  if (rule === 'paths') return 'Use paths inside the allowed folders.';
  return 'Do it another way, or have a person change `execution.security` in the configuration; `mcp-python policy explain` shows what holds.';
}

function declined(decision: Decision): Failure {
  return new Failure('denied', 'A person was asked for approval and declined.', {
    hint: 'Ask what they would rather have done.',
    details: detailsOf(decision),
  });
}

function needsApproval(decision: Decision, id: string): Failure {
  return new Failure('needs_approval', `A person has to approve this command first: ${safeText(decision.reason)}.`, {
    hint: `In a terminal on this machine: \`mcp-python approve ${id}\`. Then make the same call again.`,
    details: { ...detailsOf(decision), approval: id },
  });
}

function detailsOf({ rule, commands }: Decision): Record<string, unknown> {
  const against = commands.filter(({ verdict }) => verdict !== 'allow').slice(0, 10);
  return {
    rule,
    commands: against.map(({ words, verdict, rule: its, reason }) => ({ command: words.join(' '), verdict, rule: its, reason })),
  };
}
