/** The client libraries that MCP hosts are built on, while the server is killed and started again. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type RestartingServer, startRestartingServer } from '../fixtures/restarting-server.ts';
import { CONFORMANCE_PLUGIN, PROGRAM, programArguments, WIRE_PLUGIN } from '../fixtures/server.ts';
import { eventually } from '../fixtures/waiting.ts';
import { LIBRARIES, type Target } from './mcp-clients.ts';

const OPTIONS = { plugins: [CONFORMANCE_PLUGIN, WIRE_PLUGIN], config: { server: { sse_retry_ms: 50 } } };

const WIRES: readonly { readonly name: string; target(server: RestartingServer): Target }[] = [
  { name: 'HTTP', target: ({ url }) => ({ url }) },
  {
    name: 'stdio --connect',
    target({ home, url }) {
      const [command, ...first] = PROGRAM;
      const args = [...first, ...programArguments(home, 'stdio', { args: ['--connect', url] })];
      return { stdio: { command, args, env: { ...home.environment }, cwd: home.folder } };
    },
  },
];

/** Sessions that clients have opened. */
function sessionIds({ state }: RestartingServer): unknown[] {
  using database = new DatabaseSync(join(state, 'sessions.db'), { readOnly: true });
  return database
    .prepare('SELECT id FROM sessions ORDER BY id')
    .all()
    .map(({ id }) => id);
}

// What `auto` settles on is what is pinned.
const CASES = LIBRARIES.filter(({ name }) => !name.endsWith('auto')).flatMap((library) =>
  // Over HTTP, the stateless revision has nothing that could survive.
  WIRES.filter(({ name }) => name !== 'HTTP' || library.settles < '2026').map((wire) => ({ library, wire })),
);

describe.each(CASES)('$library.name over $wire.name', ({ library, wire }) => {
  it('keeps working across kill -9 without opening another session, and hears every change once', async () => {
    const server = await startRestartingServer(OPTIONS);
    onTestFinished(() => server[Symbol.asyncDispose]());
    const clients = await Promise.all(Array.from({ length: 4 }, () => library.connect(wire.target(server))));
    onTestFinished(async () => {
      await server.start().catch(() => {});
      for (const client of clients) await Promise.resolve(client[Symbol.asyncDispose]()).catch(() => {});
    });
    const [first] = clients;
    if (!first) return;
    const opened = sessionIds(server);
    expect(opened).toHaveLength(library.settles < '2026' ? clients.length : 0);
    // Their streams are open as soon as all hear of a change; each call changes the list twice.
    await eventually(async () => {
      await first.call('test_trigger_tool_change');
      return clients.every(({ toolChanges }) => toolChanges > 0);
    });
    await new Promise((resolve) => setTimeout(resolve, 200));
    const before = clients.map(({ toolChanges }) => toolChanges);
    const lives = 2;
    for (let life = 1; life <= lives; life++) {
      const heardBefore = clients.map(({ toolChanges }) => toolChanges);
      await server.stop();
      await server.start();
      const results = await Promise.all(clients.map((client) => client.call('check_command_exists', { command: 'sh' })));
      expect(results.map(({ structuredContent }) => structuredContent.exists)).toEqual(clients.map(() => true));
      await first.call('test_trigger_tool_change');
      const heard = () => clients.map(({ toolChanges }, index) => toolChanges - (before[index] ?? 0));
      if (library.settles < '2026') {
        await eventually(() => heard().every((count) => count >= 2 * life), 15_000);
        await new Promise((resolve) => setTimeout(resolve, 200));
        expect(heard()).toEqual(clients.map(() => 2 * life));
      } else {
        // Who listens again only after the change is told once that there may have been some.
        await eventually(() => clients.every(({ toolChanges }, index) => toolChanges > (heardBefore[index] ?? 0)), 15_000);
      }
    }
    expect(sessionIds(server)).toEqual(opened);
  }, 60_000);

  it('a call that is cut off ends: with the result where that is safe, with an error where not', async () => {
    const server = await startRestartingServer({
      ...OPTIONS,
      plugins: [...OPTIONS.plugins, join(import.meta.dirname, '../fixtures/restart-plugin.ts')],
    });
    onTestFinished(() => server[Symbol.asyncDispose]());
    const client = await library.connect(wire.target(server));
    const once = join(server.home.folder, 'once');
    const twice = join(server.home.folder, 'twice');
    const calls = Promise.allSettled([
      client.call('restart_once', { file: once, delay_ms: 60_000 }),
      client.call('restart_idempotent', { file: twice, delay_ms: 1200 }),
    ]);
    await new Promise((resolve) => setTimeout(resolve, 900));
    await server.stop();
    await server.start();
    const [unsafe, safe] = await calls;
    const unknown = { status: 'rejected', reason: { data: { code: 'unavailable', outcome: 'unknown' } } };
    expect(unsafe).toMatchObject(unknown);
    if (wire.name === 'HTTP') expect(safe).toMatchObject({ ...unknown, reason: { data: { safe_to_retry: true } } });
    else expect(safe).toMatchObject({ status: 'fulfilled', value: { content: [{ text: 'restart_idempotent done' }] } });
    await client[Symbol.asyncDispose]();
  }, 60_000);
});
