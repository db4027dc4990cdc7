import { mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { z } from 'zod';
import type { Backend } from '../../src/backends/backend.ts';
import { createNativeBackend } from '../../src/backends/native.ts';
import { LOCAL_PRINCIPAL } from '../../src/identity/principal.ts';
import type { JsonObject, RawResult, Tool, ToolContext } from '../../src/tools/tool.ts';

/** A temporary folder of this machine as the workspace, and tools that run on it. */
export interface FileMachine extends AsyncDisposable {
  readonly folder: string;
  readonly backend: Backend;
  /** The tool's structured output; arguments and output pass their schemas, as they do in the server. */
  run<I, O extends JsonObject>(tool: Tool<I, O>, values: object, signal?: AbortSignal): Promise<O>;
  /** What a model gets to read. */
  show<I, O extends JsonObject>(tool: Tool<I, O>, values: object): Promise<string>;
}

export async function openFileMachine(): Promise<FileMachine> {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-files-'));
  const backend = createNativeBackend();
  const onWorkspace = Object.assign(Object.create(backend), {
    absolute: (path: string) => resolve(folder, path.replace(/^~(?=\/|$)/, homedir())),
    environment: () => ({}),
  });
  async function run<I, O extends JsonObject>(
    tool: Tool<I, O>,
    values: object,
    signal = new AbortController().signal,
  ): Promise<O> {
    const context: ToolContext = {
      principal: LOCAL_PRINCIPAL,
      taskId: '00000000-0000-4000-8000-000000000000',
      signal,
      backend: async () => onWorkspace,
      progress() {},
      output() {},
      log() {},
      ask: {
        can: { elicitation: false, sampling: false, roots: false },
        request: async () => Promise.reject(new Error('nobody to ask')),
        state: undefined,
      },
      closeStream() {},
    };
    const output: O | RawResult = await tool.execute((tool.input as z.ZodType<I>).parse(values), context);
    return (tool.output as z.ZodType<O>).parse(output);
  }
  return {
    folder,
    backend,
    run,
    show: async (tool, values) => tool.present?.(await run(tool, values)) ?? '',
    async [Symbol.asyncDispose]() {
      await backend[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
