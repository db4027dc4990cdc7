import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { z } from 'zod';
import type { GuardedBackend } from '../../src/guard/guarded-backend.ts';
import { LOCAL_PRINCIPAL } from '../../src/identity/principal.ts';
import type { JsonObject, RawResult, Tool, ToolContext } from '../../src/tools/tool.ts';
import { guardedNative } from '../fixtures/guard.ts';

/** The tool's structured output; arguments and output pass their schemas, as they do in the server. */
export type RunTool = <I, O extends JsonObject>(tool: Tool<I, O>, values: object, signal?: AbortSignal) => Promise<O>;

/** A temporary folder of this machine as the workspace, and tools that run on it. */
export interface FileMachine extends AsyncDisposable {
  readonly folder: string;
  readonly backend: GuardedBackend;
  readonly run: RunTool;
  /** What a model gets to read. */
  show<I, O extends JsonObject>(tool: Tool<I, O>, values: object): Promise<string>;
}

export function toolsOn(backend: GuardedBackend): RunTool {
  return async <I, O extends JsonObject>(tool: Tool<I, O>, values: object, signal = new AbortController().signal) => {
    const context: ToolContext = {
      principal: LOCAL_PRINCIPAL,
      taskId: '00000000-0000-4000-8000-000000000000',
      signal,
      backend: async () => backend,
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
  };
}

export async function openFileMachine(): Promise<FileMachine> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'mcp-files-')));
  const backend = guardedNative(folder, { workspace: folder, home: homedir() });
  const run = toolsOn(backend);
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
