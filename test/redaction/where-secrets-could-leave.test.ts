/** A secret is put wherever it could leave the program, and looked for at every exit. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run, temporaryFile } from '../cli/run-program.ts';
import { exchange, messagesOf } from '../fixtures/http-client.ts';
import { openSession, stateless } from '../fixtures/mcp-http.ts';
import { startServer, WIRE_PLUGIN } from '../fixtures/server.ts';

const SECRET = 'blue-horse-battery-9';
/** A script that prints it, and does not hold it. */
const PRINTS = "printf 'blue-horse-%s-9\\n' battery";

describe('the command line', () => {
  const config = () =>
    temporaryFile(
      'config.json',
      JSON.stringify({
        server: { instructions: `x \${command:echo ran >> ran; ${PRINTS}}`, allowed_hosts: ['${env:HOST_SECRET}.example'] },
        execution: { environment_passthrough: ['VAULT_TOKEN'] },
      }),
    );
  const env = { HOST_SECRET: 'grey-otter-77', VAULT_TOKEN: 'green-tulip-rain-3' };

  it('shows and checks a configuration by its references, and runs none of its commands', async () => {
    const path = config();
    for (const args of [['show'], ['show', '--json'], ['validate']]) {
      const { status, stdout, stderr } = await run(['config', ...args, '--config', path], { env });
      expect(status).toBe(0);
      expect(stdout + stderr).not.toMatch(/blue-horse-battery|grey-otter/);
      if (args[0] === 'show') expect(stdout).toContain('${env:HOST_SECRET}.example');
    }
    expect((await run(['config', 'validate', path], { env })).status).toBe(0);
    expect(readdirSync(join(path, '..'))).toEqual(['config.json']);
    const unset = await run(['config', 'validate', path]);
    expect(unset.status).toBe(3);
    expect(unset.stderr).toContain('server.allowed_hosts.0 has no value: the environment variable HOST_SECRET is not set');
  });

  it("masks secrets in a command's output, as it comes and as a result, and in what its failure tells", async () => {
    const path = config();
    const call = (...words: string[]) => run(['call', ...words, '--config', path], { env });
    const command = 'command=echo "$VAULT_TOKEN"; printf %s green-tulip >&2; sleep 0.2; printf %s -rain-3 >&2';
    const shown = await call('execute_command', command);
    expect(shown).toMatchObject({ status: 0, stdout: '[redacted]\n', stderr: '[redacted]' });
    const result = await call('execute_command', command, '--json');
    expect(JSON.parse(result.stdout)).toMatchObject({ stdout: '[redacted]\n', stderr: '[redacted]' });
    const failed = await call('read_file', 'file_path=/no/green-tulip-rain-3');
    expect(failed.status).toBe(6);
    expect(failed.stderr).toContain('/no/[redacted]');
    expect(failed.stderr).not.toContain('green-tulip');
    const usage = await call('no_tool_green-tulip-rain-3');
    expect(usage.stderr).not.toContain('green-tulip');
  });
});

describe('the server', () => {
  it('masks secrets in results, failures, progress, resources, and in all that it writes down', async () => {
    await using server = await startServer({ config: { server: { allowed_hosts: [`\${command:${PRINTS}}`] } } });
    const session = await openSession(server.url);
    const answers: string[] = [];
    const call = async (name: string, values: object) => {
      const answer = await session.send({
        id: answers.length + 1,
        method: 'tools/call',
        params: { name, arguments: values, _meta: { progressToken: 'p' } },
      });
      answers.push(answer.text);
      return answer;
    };

    const slow = await call('execute_command', {
      command: `printf blue-horse; sleep 0.4; echo -battery-9; sleep 0.4; ${PRINTS}; sleep 0.4`,
    });
    const messages = messagesOf(slow.events);
    const progress = messages.filter(({ method }) => method === 'notifications/progress').map(({ params }) => params.message);
    expect(progress.join('')).toContain('[redacted]');
    expect(messages.at(-1).result.structuredContent.stdout).toBe('[redacted]\n[redacted]\n');
    await call('execute_command', { command: `echo ${SECRET}`, timeout: 0.001 });
    await call('read_file', { file_path: `/no/${SECRET}` });
    await call('read_file', { file_path: SECRET, [SECRET]: 1 });
    await call('write_file', { file_path: 'notes', content: `a ${SECRET}\n` });
    await call('read_file', { file_path: 'notes' });
    await call('edit_file', { file_path: 'notes', edits: [{ old_text: 'a ', new_text: 'b ' }] });
    await call('search_files', { pattern: '*', content: 'blue' });
    await call('list_directory', { directory: '.' });
    const effective = await session.request('resources/read', { uri: 'config://effective' });
    expect(JSON.parse(effective.result.contents[0].text).server.allowed_hosts).toEqual([`\${command:${PRINTS}}`]);
    const second = await exchange(
      server.url,
      stateless('tools/call', { name: 'execute_command', arguments: { command: PRINTS } }),
    );
    answers.push(
      second.text,
      JSON.stringify(effective),
      JSON.stringify(await session.request('resources/read', { uri: 'tasks://all' })),
    );

    for (const answer of answers) expect(answer).not.toContain(SECRET);
    expect(readFileSync(join(server.home.folder, 'notes'), 'utf8')).toBe(`b ${SECRET}\n`);
    expect(server.errors).not.toContain(SECRET);
    for (const file of readdirSync(server.home.folder, { recursive: true, withFileTypes: true })) {
      if (!file.isFile() || file.name === 'notes') continue;
      expect(readFileSync(join(file.parentPath, file.name), 'utf8'), file.name).not.toContain(SECRET);
    }
  });

  it('masks secrets in prompts that plug-ins make', async () => {
    await using server = await startServer({
      config: { plugins: [WIRE_PLUGIN], server: { allowed_hosts: [`\${command:${PRINTS}}`] } },
    });
    const session = await openSession(server.url);
    const { result } = await session.request('prompts/get', { name: 'wire_prompt', arguments: { number: SECRET } });
    expect(result.messages).toEqual([{ role: 'user', content: { type: 'text', text: 'The number is [redacted].' } }]);
  });
});
