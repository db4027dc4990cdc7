/** What running a command through the tool costs beside running it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { loadConfig } from '../../src/config/load.ts';
import { LOCAL_PRINCIPAL } from '../../src/identity/principal.ts';
import { createRuntime } from '../../src/runtime.ts';
import { type Row, shown } from './report.ts';
import { interleave, timed } from './statistics.ts';
import type { Subject } from './subject.ts';

const WARM_UP = 50;
const ROUNDS = 300;

export async function exec({ folder }: Subject): Promise<Row[]> {
  // The sandbox has a row of its own.
  const flags = { 'execution.workspace': folder, 'state.directory': join(folder, 'state'), 'execution.security.sandbox': 'off' };
  await using runtime = await createRuntime(await loadConfig({ flags, environment: { HOME: folder } }));
  const caller = {
    principal: LOCAL_PRINCIPAL,
    signal: new AbortController().signal,
    ask: {
      can: { elicitation: false, sampling: false, roots: false },
      request: () => Promise.reject(new Error('Nobody is there to ask.')),
      state: undefined,
    },
  };
  const subjects = {
    raw: () => timed(raw),
    tool: () =>
      timed(async () => {
        const outcome = await runtime.orchestrator.call({ tool: 'execute_command', arguments: { command: 'echo hi' } }, caller);
        if (outcome.isError || !JSON.stringify(outcome).includes('hi')) {
          throw new Error(`Wrong outcome: ${JSON.stringify(outcome)}`);
        }
      }),
  };
  await interleave(WARM_UP, subjects);
  const ms = await interleave(ROUNDS, subjects);
  return [
    {
      group: 'exec',
      what: 'execute_command "echo hi", warm',
      figure: ms.tool / ms.raw,
      unit: '×',
      bound: { kind: 'at most', value: 2 },
      detail: `${shown(ms.tool)} ms, raw spawn of /bin/sh ${shown(ms.raw)} ms`,
    },
  ];
}

/** The same command with nothing around it, its output collected. */
async function raw(): Promise<void> {
  const child = spawn('/bin/sh', ['-c', 'echo hi']);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk;
  });
  child.stderr.resume();
  const [code] = await once(child, 'close');
  if (code !== 0 || output !== 'hi\n') throw new Error(`Wrong output: ${output}`);
}
