/** What the guard costs: the decision on a command, the sandbox, the audit log. */
import { join } from 'node:path';
import { loadConfig } from '../../src/config/load.ts';
import { LOCAL_PRINCIPAL } from '../../src/identity/principal.ts';
import { createRuntime } from '../../src/runtime.ts';
import { initialize, runToEnd, startStdioServer } from './processes.ts';
import { type Row, shown } from './report.ts';
import { interleave, median, timed } from './statistics.ts';
import type { Subject } from './subject.ts';

/** 200 characters of what models write. */
const SCRIPT =
  'cd src && git status --short | head -20; for f in a b c; do echo "file $f $(wc -l < "$f.ts")" | grep -v " 0$"; done; npm run build -- --mode production 2>&1 | tail -5 && test -f dist/main.js || echo failed';

const WARM_UP = 1000;
const DECISIONS = 2000;
const STARTS = 9;
const COMMANDS = 150;

export async function guard(subject: Subject): Promise<Row[]> {
  return [await decision(subject), await firstDecision(subject), await firstUse(subject), await sandbox(subject)];
}

async function decision({ folder }: Subject): Promise<Row> {
  const flags = { 'execution.workspace': folder, 'state.directory': join(folder, 'state') };
  await using runtime = await createRuntime(await loadConfig({ flags, environment: { HOME: folder } }));
  const machine = await runtime.machine();
  const decide = async () => {
    const { verdict, reason } = await machine.decide(
      { command: { kind: 'script', script: SCRIPT }, cwd: folder },
      { tool: 'execute_command', principal: LOCAL_PRINCIPAL },
    );
    if (verdict !== 'allow') throw new Error(`Wrong verdict: ${reason}`);
  };
  for (let count = 0; count < WARM_UP; count++) await decide();
  const times: number[] = [];
  for (let count = 0; count < DECISIONS; count++) times.push(await timed(decide));
  return {
    group: 'guard',
    what: `policy decision on ${SCRIPT.length} characters, warm`,
    figure: median(times),
    unit: 'ms',
    bound: { kind: 'at most', value: 0.3 },
    detail: `median of ${DECISIONS}`,
  };
}

/** A process that decides on one command beside one that loads as much, and no policy. */
async function firstDecision(subject: Subject): Promise<Row> {
  const { command, prefix, environment } = subject;
  const unconfined = { ...subject, environment: { ...environment, MCP_PYTHON_EXECUTION_SECURITY_SANDBOX: 'off' } };
  const subjects = {
    decides: () => timed(() => runToEnd(command, [...prefix, 'policy', 'test', 'echo hi'], unconfined)),
    looks: () => timed(() => runToEnd(command, [...prefix, 'tools', 'check_command_exists'], unconfined)),
  };
  await interleave(2, subjects);
  const ms = await interleave(STARTS, subjects);
  return {
    group: 'guard',
    what: 'first policy decision of a process',
    figure: ms.decides - ms.looks,
    unit: 'ms',
    bound: { kind: 'at most', value: 40 },
    detail: `policy test ${shown(ms.decides)} ms, tools ${shown(ms.looks)} ms (${subject.kind})`,
  };
}

/** The first command of a server beside its later ones: what loading the grammar, the table and the rest takes. */
async function firstUse(subject: Subject): Promise<Row> {
  const command = (server: ReturnType<typeof startStdioServer>) =>
    timed(() => server.request('tools/call', { name: 'execute_command', arguments: { command: 'true' } }));
  const extra: number[] = [];
  for (let start = 0; start < STARTS; start++) {
    await using server = startStdioServer(subject);
    await initialize(server);
    const first = await command(server);
    const later: number[] = [];
    for (let count = 0; count < 10; count++) later.push(await command(server));
    extra.push(first - median(later));
  }
  return {
    group: 'guard',
    what: 'first command of a server, beyond a later one',
    figure: median(extra),
    unit: 'ms',
    detail: `${STARTS} starts (${subject.kind}); everything that runs commands is loaded then`,
  };
}

async function sandbox(subject: Subject): Promise<Row> {
  const start = async (mode: string) => {
    const server = startStdioServer({
      ...subject,
      environment: { ...subject.environment, MCP_PYTHON_EXECUTION_SECURITY_SANDBOX: mode },
    });
    await initialize(server);
    return server;
  };
  await using confined = await start('required');
  await using plain = await start('off');
  const echo = (server: ReturnType<typeof startStdioServer>) => () =>
    timed(async () => {
      const result = await server.request('tools/call', { name: 'execute_command', arguments: { command: 'echo hi' } });
      if (result.isError) throw new Error(`Wrong answer: ${JSON.stringify(result)}`);
    });
  const subjects = { confined: echo(confined), plain: echo(plain) };
  await interleave(20, subjects);
  const ms = await interleave(COMMANDS, subjects);
  return {
    group: 'guard',
    what: 'sandboxed "echo hi", beyond one without',
    figure: ms.confined - ms.plain,
    unit: 'ms',
    bound: { kind: 'at most', value: 15 },
    detail: `${shown(ms.confined)} ms, without sandbox ${shown(ms.plain)} ms`,
  };
}
