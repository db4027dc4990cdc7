import { Command } from 'commander';
import { Failure } from '../errors.ts';
import { LOCAL_PRINCIPAL } from '../identity/principal.ts';
import type { ToolOutcome } from '../orchestrator/orchestrator.ts';
import type { JsonObject } from '../tools/tool.ts';
import { readArguments } from './call-arguments.ts';
import { EXIT } from './exit-codes.ts';
import { printData, printJson } from './output.ts';
import { runtimeFor, wantsJson } from './session.ts';

interface CallOptions {
  readonly exitCode?: boolean;
}

const HELP = `
Arguments are key=value words (values read as the tool's schema says, key:=JSON forces JSON), one JSON object, or -
for a JSON object on standard input. stdin=- hands our standard input to the command that execute_command runs.

A command's output is shown as it comes. Exit status: 0 ok, 1 our defect, 2 usage, 3 bad config, 4 unreachable,
5 denied, 6 not found, 7 partial, 8 needs approval, 124 timed out, 130 interrupted; with --exit-code the command's own.

Examples:
  mcp-python call execute_command command='make test' --exit-code
  mcp-python call read_file file_path=/etc/os-release limit=3
  echo '{"command": "uptime"}' | mcp-python call execute_command - --json`;

export function define(): Command {
  return new Command('call')
    .description('Run one tool in this process and print its result.')
    .argument('<tool>', 'the tool, see `mcp-python tools`')
    .argument('[arguments...]', 'key=value words, one JSON object, or -')
    .option('--exit-code', 'end with the exit status of the command that execute_command ran')
    .addHelpText('after', HELP)
    .action(call);
}

async function call(name: string, words: readonly string[], { exitCode }: CallOptions, command: Command): Promise<void> {
  const json = wantsJson(command);
  const runtime = await runtimeFor(command);
  const abort = new AbortController();
  const interrupt = () => abort.abort(new Failure('cancelled', 'Interrupted.'));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, interrupt);
  // The reader went away (`| head`): what still runs has nobody to show itself to.
  process.stdout.once('error', interrupt);
  const progress = createProgressLine(!json && process.stderr.isTTY === true);
  let streamed = false;
  try {
    const tool = await runtime.catalogue.tool(name);
    const values = await readArguments(tool, words, process.stdin);
    const outcome = await runtime.orchestrator.call(
      { tool: name, arguments: values },
      {
        principal: LOCAL_PRINCIPAL,
        signal: abort.signal,
        ask: {
          can: { elicitation: false, sampling: false, roots: false },
          state: undefined,
          request: () => Promise.reject(nobodyToAsk()),
        },
        ...(!json && {
          output: (stream, chunk) => {
            streamed = true;
            progress.clear();
            (stream === 'stdout' ? process.stdout : process.stderr).write(chunk);
          },
        }),
        progress: ({ message, progress: done, total }) => progress.show(message ?? (total ? `${done} of ${total}` : `${done}`)),
      },
    );
    progress.clear();
    if (outcome.failure) throw outcome.failure;
    await show(outcome, json, streamed);
    process.exitCode = exitCode ? commandExitCode(outcome.structuredContent) : outcome.isError ? EXIT.defect : EXIT.ok;
  } finally {
    progress.clear();
    await runtime[Symbol.asyncDispose]();
  }
}

async function show({ content, structuredContent }: ToolOutcome, json: boolean, streamed: boolean): Promise<void> {
  if (json) return printJson(structuredContent ?? { content });
  // What was shown as it came is not shown again.
  if (streamed) return;
  for (const block of content) {
    const text = block.type === 'text' ? block.text : JSON.stringify(block);
    if (text !== '') await printData(text);
  }
}

/** The command's own status, as a shell tells it: 128 and the signal's number for one that a signal ended. */
function commandExitCode(result: JsonObject | undefined): number {
  if (typeof result?.exit_code === 'number') return result.exit_code;
  return typeof result?.signal === 'string' ? EXIT.defect : EXIT.ok;
}

/** Seconds before progress is worth a line, milliseconds. */
const QUIET_MS = 2000;

/** One line on a terminal that is written over and vanishes. */
function createProgressLine(visible: boolean) {
  const startedMs = Date.now();
  let shown = false;
  return {
    show(text: string) {
      if (!visible || Date.now() - startedMs < QUIET_MS) return;
      shown = true;
      process.stderr.write(`\r\u001b[K${text.split('\n', 1)[0]?.slice(0, 100)}`);
    },
    clear() {
      if (shown) process.stderr.write('\r\u001b[K');
      shown = false;
    },
  };
}

function nobodyToAsk(): Failure {
  return new Failure('unsupported', 'This tool has a question, and `call` has nobody to ask.', {
    hint: 'Use it from an MCP client.',
  });
}
