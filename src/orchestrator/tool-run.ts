/** Runs one tool, in whichever thread: makes what it is given and dresses what it returns. */
import type { OutputStream } from '../backends/backend.ts';
import type { GuardedBackend } from '../guard/guarded-backend.ts';
import type { GuardedCall, PersonQuestion } from '../guard/guarded-call.ts';
import type { Principal } from '../identity/principal.ts';
import { redactor } from '../redaction/process-redactor.ts';
import type { TaskPort } from '../tools/task-port.ts';
import type { AnyTool, AskPort, JsonObject, LogLevel, Progress, ToolContext } from '../tools/tool.ts';
import { RawResult } from '../tools/tool.ts';
import { askPerson } from './approval-questions.ts';
import type { ToolOutcome } from './orchestrator.ts';
import { parseArguments, presentOutput, presentRaw } from './tool-values.ts';

/** What the caller's side offers to the running tool; its functions are handed on as they are, without `this`. */
export interface Caller {
  readonly principal: Principal;
  /** Id of the MCP session, where there is one. */
  readonly session?: string | undefined;
  readonly signal: AbortSignal;
  readonly ask: AskPort;
  progress?(update: Progress): void;
  output?(stream: OutputStream, chunk: Uint8Array): void;
  log?(level: LogLevel, data: unknown, logger?: string): void;
  closeStream?(): void;
}

/** The call that a tool runs for. Both parts are asked for late: most tools need neither. */
export interface RunningCall {
  /** UUID of the call. */
  readonly task: { readonly id: string; readonly tool: string };
  readonly limit: { readonly signal: AbortSignal };
}

/** What the thread that a tool runs in has for all of them. */
export interface RunSurroundings {
  backend(name: string | undefined, call: GuardedCall): Promise<GuardedBackend>;
  /** Absent in agents. */
  readonly tasks?: TaskPort;
}

/** @throws whatever the tool throws; Failure `invalid_input` for arguments that do not fit its schema */
export async function runTool(
  tool: AnyTool,
  values: JsonObject,
  call: RunningCall,
  caller: Omit<Caller, 'signal'>,
  surroundings: RunSurroundings,
): Promise<ToolOutcome> {
  const input = parseArguments(tool, values);
  const output = await tool.execute(input, new CallContext(call, caller, surroundings));
  return output instanceof RawResult ? presentRaw(output) : presentOutput(tool, output);
}

function ignore(): void {}

/** What a tool is given. A class for its getters, which an object literal would be made anew with for each call. */
class CallContext implements ToolContext {
  readonly principal: Principal;
  readonly backend: ToolContext['backend'];
  readonly progress: ToolContext['progress'];
  readonly output: ToolContext['output'];
  readonly ask: AskPort;
  readonly tasks: TaskPort | undefined;
  readonly closeStream: ToolContext['closeStream'];
  readonly #call: RunningCall;
  readonly #log: Caller['log'];

  constructor(call: RunningCall, caller: Omit<Caller, 'signal'>, { backend, tasks }: RunSurroundings) {
    this.principal = caller.principal;
    this.backend = (name) => backend(name, guardedCall(call, caller));
    this.progress = caller.progress ?? ignore;
    this.output = caller.output ?? ignore;
    this.ask = caller.ask;
    this.tasks = tasks;
    this.closeStream = caller.closeStream ?? ignore;
    this.#call = call;
    this.#log = caller.log;
  }

  get taskId(): string {
    return this.#call.task.id;
  }

  get signal(): AbortSignal {
    return this.#call.limit.signal;
  }

  get log(): ToolContext['log'] {
    const log = this.#log;
    return log ? (level, data, logger) => log(level, redactor.json(data), logger) : ignore;
  }
}

function guardedCall({ task, limit }: RunningCall, { principal, session, ask }: Omit<Caller, 'signal'>): GuardedCall {
  const person = ask.can.elicitation
    ? { askPerson: (question: PersonQuestion) => askPerson(ask, question, session !== undefined) }
    : {};
  return { principal, session, tool: task.tool, taskId: task.id, signal: limit.signal, ...person };
}
