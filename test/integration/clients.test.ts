/** The client libraries that MCP hosts are built on, in every mode, over HTTP, stdio and the bridge between the two. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  CONFORMANCE_PLUGIN,
  createHome,
  type Home,
  PROGRAM,
  programArguments,
  type RunningServer,
  startServer,
  WIRE_PLUGIN,
} from '../fixtures/server.ts';
import { eventually } from '../fixtures/waiting.ts';
import { type ConnectedClient, LIBRARIES, type Target } from './mcp-clients.ts';

const OPTIONS = { plugins: [CONFORMANCE_PLUGIN, WIRE_PLUGIN] };

let server: RunningServer;
let home: Home;
beforeAll(async () => {
  server = await startServer(OPTIONS);
  home = createHome();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  home[Symbol.dispose]();
});

const WIRES: readonly { readonly name: string; target(): Target }[] = [
  { name: 'HTTP', target: () => ({ url: server.url }) },
  {
    name: 'stdio',
    target() {
      const [command, ...first] = PROGRAM;
      const args = [...first, ...programArguments(home, 'stdio', OPTIONS)];
      return { stdio: { command, args, env: { ...home.environment }, cwd: home.folder } };
    },
  },
  {
    name: 'stdio --connect',
    target() {
      const [command, ...first] = PROGRAM;
      const args = [...first, ...programArguments(home, 'stdio', { args: ['--connect', server.url] })];
      return { stdio: { command, args, env: { ...home.environment }, cwd: home.folder } };
    },
  },
];

describe.each(LIBRARIES)('$name', ({ name: library, settles, connect }) => {
  describe.each(WIRES)('over $name', ({ name: wire, target }) => {
    let client: ConnectedClient;
    beforeAll(async () => {
      client = await connect(target());
    });
    afterAll(() => client[Symbol.asyncDispose]());

    it(`settles on ${settles}`, () => {
      expect({ version: client.version, serverName: client.serverName }).toEqual({ version: settles, serverName: 'mcp-python' });
    });

    it('sees every tool with its schemas', async () => {
      const tools = await client.tools();
      expect(tools.map(({ name }) => name)).toEqual(
        expect.arrayContaining(['execute_command', 'get_system_info', 'read_file', 'search_files', 'test_simple_text']),
      );
      const [found] = tools.filter(({ name }) => name === 'check_command_exists');
      expect(found).toMatchObject({ inputSchema: { required: ['command'] }, outputSchema: { type: 'object' } });
    });

    it('calls tools whose structured results fit their schemas', async () => {
      const exists = await client.call('check_command_exists', { command: 'sh' });
      expect(exists.structuredContent).toMatchObject({ command: 'sh', exists: true });
      const echo = await client.call('execute_command', { command: 'echo hi; echo oops >&2; exit 3' });
      expect(echo.structuredContent).toMatchObject({ exit_code: 3, stdout: 'hi\n', stderr: 'oops\n' });
      const path = join(home.folder, 'tmp', `${library}-${wire}.txt`.replaceAll('/', '-'));
      const missing = await client.call('read_file', { file_path: path });
      expect(missing).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('not_found') }] });
    });

    it('follows the progress of a call', async () => {
      const seen: number[] = [];
      await client.call('wire_count', { steps: 3, delay_ms: 20 }, { onprogress: ({ progress }) => seen.push(progress) });
      // The libraries forget the last one when the response arrives together with it.
      expect(seen.slice(0, 2)).toEqual([1, 2]);
    });

    it('cancels a call, which then stops', async () => {
      const mark = (what: string) => join(home.folder, `${library}-${wire}-${what}`.replaceAll('/', '-'));
      const [started, stopped] = [mark('started'), mark('stopped')];
      const controller = new AbortController();
      const call = client.call('wire_wait', { started, stopped }, { signal: controller.signal });
      const failed = expect(call).rejects.toThrow();
      await eventually(() => existsSync(started));
      controller.abort('not wanted any more');
      await failed;
      await eventually(() => existsSync(stopped), 1500);
      expect((await client.call('test_simple_text')).isError).toBeFalsy();
    });

    it('is asked by tools for a form, for a model, and more than once', async () => {
      const text = async (name: string, values?: Record<string, unknown>) => (await client.call(name, values)).content[0].text;
      expect(await text('test_elicitation', { message: 'Who?' })).toContain('"username":"ann"');
      expect(await text('test_sampling', { prompt: 'ping' })).toBe('LLM response: pong');
      expect(await text('test_input_required_result_list_roots')).toContain('file:///work');
      expect(await text('test_input_required_result_multi_round')).toMatch(/^Ann likes /);
    });

    it('reads resources, prompts and completions', async () => {
      expect((await client.read('test://static-text')).contents[0].text).toContain('static text');
      expect((await client.read('test://template/7/data')).contents[0].text).toContain('"id":"7"');
      expect(JSON.parse((await client.read('agents://status')).contents[0].text)).toBeTypeOf('object');
      await expect(client.read('test://nowhere')).rejects.toThrow(/nowhere|not found/i);
      const { messages } = await client.prompt('test_prompt_with_arguments', { arg1: 'a', arg2: 'b' });
      expect(messages[0].content.text).toContain("arg1='a', arg2='b'");
      expect(await client.complete('test_prompt_with_arguments', 'arg1', 'part')).toEqual(['party']);
    });

    it('hears that the tools changed', async () => {
      const before = client.toolChanges;
      await client.call('test_trigger_tool_change');
      await eventually(() => client.toolChanges > before);
    });

    it('gets pictures, sounds and embedded resources', async () => {
      const types = async (name: string) => (await client.call(name)).content.map(({ type }: { type: string }) => type);
      expect(await types('test_multiple_content_types')).toEqual(['text', 'image', 'resource']);
      expect(await types('test_audio_content')).toEqual(['audio']);
    });

    it('gets an error for a tool that does not exist', async () => {
      await expect(client.call('no_such_tool')).rejects.toMatchObject({ code: -32602 });
    });

    // Only event streams can be dropped without the connection.
    if (wire === 'HTTP') {
      it('gets the result of a call whose stream the server dropped on the way', async () => {
        expect((await client.call('test_reconnection')).content[0].text).toContain('came back');
      });
    }
  });
});
