import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { redactConfig } from '../../src/config/keys.ts';
import { type LoadedConfig, type LoadOptions, loadConfig } from '../../src/config/load.ts';
import type { Failure } from '../../src/errors.ts';
import { isRunning } from '../fixtures/processes.ts';
import { eventually } from '../fixtures/waiting.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mcp-python-references-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function file(text: string, name = 'config.yaml', mode = 0o600): string {
  const path = join(folder, name);
  writeFileSync(path, text, { mode });
  return path;
}

const PATH = process.env.PATH;

/** Loads a file in which `server.instructions`, a key that takes any text, has this value. */
function loadText(value: string, environment: LoadOptions['environment'] = {}, options: Partial<LoadOptions> = {}) {
  return loadConfig({
    file: file(JSON.stringify({ server: { instructions: value } })),
    environment: { PATH, ...environment },
    ...options,
  });
}

const textOf = (loaded: LoadedConfig) => loaded.config.server.instructions;

async function problemOf(loading: Promise<unknown>): Promise<string> {
  const failure = (await loading.then(
    () => undefined,
    (thrown) => thrown,
  )) as Failure;
  expect(failure).toMatchObject({ code: 'invalid_config', details: { problems: [expect.any(String)] } });
  return (failure.details as { problems: string[] }).problems[0]?.replaceAll(folder, 'FOLDER') ?? '';
}

describe('a reference', () => {
  it('to a variable stands for its value, alone or within text, as often as it is there', async () => {
    const environment = { PW: 'p w', DB: 'prod' };
    expect(textOf(await loadText('${env:PW}', environment))).toBe('p w');
    expect(textOf(await loadText('postgres://u:${env:PW}@host/${env:DB}?x=${env:DB}', environment))).toBe(
      'postgres://u:p w@host/prod?x=prod',
    );
  });

  it('to a file stands for its text without the line feed at its end', async () => {
    file('s3cret\n', 'one');
    file('two\nlines\n\n', 'two');
    mkdirSync(join(folder, 'home'));
    expect(textOf(await loadText('<${file:one}>'))).toBe('<s3cret>');
    expect(textOf(await loadText(`\${file:${folder}/two}`))).toBe('two\nlines\n');
  });

  it('to a file in a variable or flag starts at the working directory', async () => {
    const environment = { MCP_PYTHON_SERVER_INSTRUCTIONS: '${file:no-such-file}' };
    const problem = await problemOf(loadConfig({ file: file(''), environment }));
    expect(problem).toBe(
      `$MCP_PYTHON_SERVER_INSTRUCTIONS: server.instructions has no value: there is no file ${process.cwd()}/no-such-file`,
    );
    const flags = { 'server.instructions': '${env:FLAG}' };
    expect(textOf(await loadConfig({ file: file(''), environment: { FLAG: 'of the line' }, flags }))).toBe('of the line');
  });

  it('to a command stands for what it prints, run by a shell in the folder of the file with our own environment', async () => {
    file('login: me\npassword: from-vault\n', 'vault');
    const script = 'awk \'{ if ($1 == "password:") print $2 }\' vault; echo "$EXTRA" | head -n 1';
    expect(textOf(await loadText(`\${command:${script}}`, { EXTRA: 'more' }))).toBe('from-vault\nmore');
  });

  it('runs its command once in a process', async () => {
    const value = '${command:echo run >> runs; echo "value of ${once}"}';
    for (const _ of [1, 2]) expect(textOf(await loadText(`${value} ${value}`, { once: 'it' }))).toBe('value of it value of it');
    expect(readFileSync(join(folder, 'runs'), 'utf8')).toBe('run\n');
  });

  it('is not looked for in what a reference brought', async () => {
    file('${env:PW} $${', 'nested');
    expect(textOf(await loadText('${env:OUTER}${file:nested}', { OUTER: '${env:PW}', PW: 'x' }))).toBe('${env:PW}${env:PW} $${');
  });

  it('is none behind a second dollar sign', async () => {
    const loaded = await loadText('$${env:PW} costs $5 and $$', {});
    expect(textOf(loaded)).toBe('${env:PW} costs $5 and $$');
    expect(loaded.references.size).toBe(0);
  });

  it('works in lists and in paths, which may be absolute then', async () => {
    const path = file('plugins: ["${env:DIR}/a.mjs", "${env:NAME}.mjs"]\nserver: { allowed_hosts: ["${env:NAME}.example"] }');
    const { config } = await loadConfig({ file: path, environment: { DIR: '/opt/plugins', NAME: 'b' } });
    expect(config.plugins).toEqual(['/opt/plugins/a.mjs', join(folder, 'b.mjs')]);
    expect(config.server.allowed_hosts).toEqual(['b.example']);
  });

  it('is not resolved where something stronger replaces its value', async () => {
    const value = '${env:UNSET}${command:touch ran; echo x}';
    const loaded = await loadText(value, { MCP_PYTHON_SERVER_INSTRUCTIONS: 'plain' });
    expect(textOf(loaded)).toBe('plain');
    expect(loaded.references.size).toBe(0);
    expect(() => readFileSync(join(folder, 'ran'))).toThrow();
  });

  it('may stand for one of a few words', async () => {
    const path = file('log: { level: "${env:LEVEL}" }');
    expect((await loadConfig({ file: path, environment: { LEVEL: 'warn' } })).config.log.level).toBe('warn');
    const problem = await problemOf(loadConfig({ file: path, environment: { LEVEL: 'hunter2' } }));
    expect(problem).toBe('FOLDER/config.yaml:1: log.level must be one of debug, info, warn, error, found "${env:LEVEL}"');
  });
});

describe('a reference that stands for nothing', () => {
  const place = 'FOLDER/config.yaml:1: server.instructions has no value:';

  it.each([
    ['${env:UNSET}', 'the environment variable UNSET is not set; set it before the start'],
    ['${env:EMPTY}', 'the environment variable EMPTY is empty'],
    ['${file:none}', 'there is no file FOLDER/none'],
    ['${file:.}', 'FOLDER is not a regular file'],
    ['${file:/dev/zero}', '/dev/zero is not a regular file'],
    ['${file:pipe}', 'FOLDER/pipe is not a regular file'],
    ['${file:large}', 'FOLDER/large is longer than 64 KiB'],
    ['${file:binary}', 'FOLDER/binary is not UTF-8 text'],
    ['${file:empty}', 'FOLDER/empty is empty'],
    ['${command:exit 3}', '${command:exit 3} ended with exit status 3'],
    [
      '${command:echo "vault is locked" >&2; false}',
      '${command:echo "vault is locked" >&2; false} ended with exit status 1, and said: vault is locked',
    ],
    ['${command:true}', 'what ${command:true} prints is empty'],
    ['${command:kill $$}', '${command:kill $$} was ended by SIGTERM'],
    ['${command:yes}', '${command:yes} printed more than 64 KiB'],
    ['${vault:x}', 'a reference is `${env:NAME}`, `${file:PATH}` or `${command:SCRIPT}`; `$${` stands for the characters `${`'],
    ['${env:}', '${env:} names nothing'],
    ['${env:A', 'a reference has no closing brace; `$${` stands for the characters `${`'],
  ])('is told with its key and what to do: %s', async (value, problem) => {
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    file('x'.repeat(70_000), 'large');
    writeFileSync(join(folder, 'binary'), Buffer.from([0xff, 0xfe]));
    file('\n', 'empty');
    expect(await problemOf(loadText(value, { EMPTY: '' }))).toBe(`${place} ${problem}`);
  });

  it('is told together with everything else that is wrong, before any command has run', async () => {
    const path = file('server: { instructions: "${env:UNSET}", mcp_http_host: "${command:touch ran}" }\nlog: { level: loud }');
    const failure = await loadConfig({ file: path, environment: { PATH } }).catch((thrown) => thrown);
    expect(failure.details.problems).toHaveLength(2);
    expect(() => readFileSync(join(folder, 'ran'))).toThrow();
  });

  it('that is a command is ended after ten seconds with all that it started', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const problem = problemOf(loadText('${command:sleep 1234.5 & echo $! > child; echo made > done; wait}'));
    while (!existsSync(join(folder, 'done'))) await new Promise((resolve) => setImmediate(resolve));
    vi.advanceTimersByTime(10_000);
    expect(await problem).toContain('did not end within 10 s');
    vi.useRealTimers();
    const child = Number(readFileSync(join(folder, 'child'), 'utf8'));
    await eventually(() => !isRunning(child));
  });
});

describe('what a reference stands for', () => {
  it('is a secret, but for folders and what every command sees', async () => {
    file('of-a-file', 'secret');
    const path = file(
      'plugins: ["${env:DIR}/a.mjs"]\nserver: { instructions: "${env:PW} ${env:HOME} ${file:secret} ${command:echo of-a-command}" }',
    );
    const environment = { PATH, DIR: '/opt/plugins', PW: 'of-a-variable', HOME: '/home/me' };
    const { secrets } = await loadConfig({ file: path, environment });
    expect([...secrets].toSorted()).toEqual(['of-a-command', 'of-a-file', 'of-a-variable']);
  });

  it('is not in the configuration as it is shown', async () => {
    const path = file('server: { instructions: "a ${env:PW} $${b}", allowed_hosts: [plain, "${env:PW}.example"] }');
    const { config, references } = await loadConfig({ file: path, environment: { PW: 'hunter2' } });
    const shown = redactConfig(config, references) as typeof config;
    expect(shown.server.instructions).toBe('a ${env:PW} $${b}');
    expect(shown.server.allowed_hosts).toEqual(['plain', '${env:PW}.example']);
    expect(config.server.instructions).toBe('a hunter2 ${b}');
  });

  it('is better not in a file that everybody can read', async () => {
    const path = file('x', 'open');
    chmodSync(path, 0o644);
    expect((await loadText('${file:open}')).warnings).toEqual([
      `Everybody on this machine can read ${path}: \`chmod 600 ${path}\` keeps it secret.`,
    ]);
    chmodSync(path, 0o600);
    expect((await loadText('${file:open}')).warnings).toEqual([]);
  });
});

describe('a configuration that is only checked', () => {
  it('has its commands looked at, and not run', async () => {
    const path = file('server: { instructions: "${command:touch ran}" }\nlog: { level: "${command:echo warn}" }');
    const { config, references } = await loadConfig({ file: path, environment: { PATH }, commands: 'check' });
    expect(config.server.instructions).toBe('${command:touch ran}');
    expect(references.get('log.level')).toBe('${command:echo warn}');
    expect(() => readFileSync(join(folder, 'ran'))).toThrow();
    const number = file('server: { mcp_http_port: "${command:echo 1}" }');
    expect(await problemOf(loadConfig({ file: number, environment: {}, commands: 'check' }))).toContain(
      'mcp_http_port must be a whole number',
    );
  });
});

it('a value that holds itself is refused as before', async () => {
  const path = file('server: &a { instructions: "${env:X}", again: *a }');
  await expect(loadConfig({ file: path, environment: { X: 'x' } })).rejects.toMatchObject({ code: 'invalid_config' });
});
