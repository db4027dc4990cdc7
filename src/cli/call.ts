import { constants } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import type { OutputStream } from '../backends/backend.ts';
import { Failure } from '../errors.ts';
import { LOCAL_PRINCIPAL } from '../identity/principal.ts';
import type { ToolOutcome } from '../orchestrator/orchestrator.ts';
import type { Caller } from '../orchestrator/tool-run.ts';
import { redactor } from '../redaction/process-redactor.ts';
import { type ByteRedactor, createByteRedactor } from '../redaction/stream-redactor.ts';
import type { JsonObject } from '../tools/tool.ts';
import { readArguments } from './call-arguments.ts';
import { EXIT } from './exit-codes.ts';
import { printData, printJson, stdoutGone } from './output.ts';
import { createProgressLine } from './progress-line.ts';
import { runtimeFor, wantsJson } from './session.ts';

interface CallOptions {
  readonly exitCode?: boolean;
  /** Seconds. */
  readonly timeout?: number;
}

const HELP = `
Arguments are key=value words (values read as the tool's schema says, key:=JSON forces JSON), one JSON object, or -
for a JSON object on standard input. stdin=- hands our standard input to the command that execute_command runs.

A command's output is shown as it comes; with --json the structured result is printed at the end instead. A failure
is told on stderr and nothing on stdout. Exit status: 0 ok, 1 the tool's error or our defect, 2 usage, 3 bad
configuration, 4 unreachable or busy, 5 denied, 6 not found, 7 partial, 8 needs approval, 124 timed out,
130 interrupted; with --exit-code the command's own, 128 and the signal's number when a signal ended it.

Examples:
  mcp-python call execute_command command='make test' --exit-code
  mcp-python call read_file file_path=/etc/os-release limit=3
  sort -u words | mcp-python call execute_command command='wc -l' stdin=-
  echo '{"command": "uptime"}' | mcp-python call execute_command - --json`;

export function define(): Command {
  return new Command('call')
    .description('Run one tool in this process and print its result.')
    .argument('<tool>', 'the tool, see `mcp-python tools`')
    .argument('[arguments...]', 'key=value words, one JSON object, or -')
    .option('--exit-code', 'end with the exit status of the command that execute_command ran')
    .option('--timeout <seconds>', 'give up after this time, exit status 124', parseSeconds)
    .addHelpText('after', HELP)
    .action(call);
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (text.trim() === '' || !(seconds > 0) || seconds > MAX_SECONDS) {
    throw new InvalidArgumentError(`It must be a number of seconds above 0, at most ${MAX_SECONDS}.`);
  }
  return seconds;
}

/** A week, as for every time limit of the configuration. */
const MAX_SECONDS = 7 * 86_400;

async function call(name: string, words: readonly string[], options: CallOptions, command: Command): Promise<void> {
  const json = wantsJson(command);
  await using runtime = await runtimeFor(command);
  const signal = untilUnwanted(name, options.timeout);
  const tool = await runtime.catalogue.tool(name);
  const values = await readArguments(tool, words, process.stdin, signal);
  const screen = createScreen(json);
  let outcome: ToolOutcome;
  try {
    outcome = await runtime.orchestrator.call({ tool: name, arguments: values }, { ...screen.caller, signal });
  } finally {
    screen.close();
  }
  if (outcome.failure) throw outcome.failure;
  // Even when the tool ended well: what it wrote last may not have arrived.
  stdoutGone.throwIfAborted();
  await show(outcome, json, screen.streamed);
  // What waits for something else tells how far that is, and ends well.
  if (signal.reason instanceof Failure && signal.reason.code === 'timeout') throw signal.reason;
  process.exitCode = statusOf(outcome, options.exitCode === true);
}

/** Aborted by a signal to us, a lost reader or the time limit; a second signal ends us at once. */
function untilUnwanted(name: string, timeoutSeconds: number | undefined): AbortSignal {
  const abort = new AbortController();
  const interrupt = () => abort.abort(new Failure('cancelled', 'Interrupted.'));
  for (const each of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(each, interrupt);
  stdoutGone.addEventListener('abort', interrupt, { once: true });
  if (timeoutSeconds !== undefined) {
    const late = new Failure('timeout', `${name} did not finish within ${timeoutSeconds} s.`, { hint: 'Raise --timeout.' });
    setTimeout(() => abort.abort(late), timeoutSeconds * 1000).unref();
  }
  return abort.signal;
}

/** What the running tool shows: a command's output as it comes, or else its progress on a terminal. */
function createScreen(json: boolean) {
  const progress = createProgressLine(!json && process.stderr.isTTY === true);
  const shown: Partial<Record<OutputStream, ByteRedactor>> = {};
  let streamed = false;
  const caller: Omit<Caller, 'signal'> = {
    principal: LOCAL_PRINCIPAL,
    ask: {
      can: { elicitation: false, sampling: false, roots: false },
      state: undefined,
      request: () => Promise.reject(nobodyToAsk()),
    },
    output(stream, chunk) {
      if (json) return;
      if (!streamed) progress.close();
      streamed = true;
      shown[stream] ??= createByteRedactor(redactor);
      process[stream].write(shown[stream].push(chunk));
    },
    progress({ message, progress: done, total }) {
      progress.show(message ?? (total === undefined ? `${done}` : `${done} of ${total}`));
    },
  };
  return {
    caller,
    get streamed() {
      return streamed;
    },
    close() {
      progress.close();
      for (const stream of ['stdout', 'stderr'] as const) process[stream].write(shown[stream]?.flush() ?? '');
    },
  };
}

async function show({ content, structuredContent, isError }: ToolOutcome, json: boolean, streamed: boolean): Promise<void> {
  if (json) return printJson(structuredContent ?? { content, ...(isError && { isError }) });
  if (structuredContent?.outcome === 'running') return printData(String(structuredContent.job_id));
  // What was shown as it came is not shown again, and of a command nothing else is shown.
  if (streamed || (structuredContent && 'exit_code' in structuredContent)) return;
  for (const block of content) {
    const text = block.type === 'text' ? block.text : JSON.stringify(block);
    if (text === '') continue;
    if (isError) process.stderr.write(`${text}\n`);
    else await printData(text);
  }
}

function statusOf({ structuredContent, isError }: ToolOutcome, ofCommand: boolean): number {
  if (isError) return EXIT.defect;
  return ofCommand ? statusOfCommand(structuredContent) : EXIT.ok;
}

/** The command's own status, as a shell tells it: 128 and the signal's number for one that a signal ended. */
function statusOfCommand(result: JsonObject | undefined): number {
  if (typeof result?.exit_code === 'number') return result.exit_code;
  const number = constants.signals[result?.signal as NodeJS.Signals] as number | undefined;
  return number === undefined ? EXIT.ok : 128 + number;
}

function nobodyToAsk(): Failure {
  return new Failure('unsupported', 'This tool has a question, and `call` has nobody to ask.', {
    hint: 'Use it from an MCP client.',
  });
}
