import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LoadedConfig } from '../../src/config/load.ts';
import { configSchema } from '../../src/config/schema.ts';
import { type RunningAgent as Inside, runHostAgent } from '../../src/host-agent/run.ts';
import { eventually, processesWith } from '../backends/watching.ts';
import { ask, clientOf, keyed, OWN_USER, script, surroundingsOf, temporaryFolder } from './running-agent.ts';

/** Both in this process, so that the patience of one can be short. */
let patient: Inside;
let impatient: Inside;
let socket: string;
let hastySocket: string;
let workspace: string;
const place = temporaryFolder();

beforeAll(async () => {
  socket = join(place.folder, 'agent.sock');
  workspace = join(place.folder, 'work');
  mkdirSync(workspace);
  hastySocket = join(place.folder, 'hasty.sock');
  patient = await runHostAgent(configOf(socket));
  impatient = await runHostAgent(configOf(hastySocket), { headersMs: 300, requestMs: 800, takeMs: 600 });
}, 30_000);

function configOf(path: string): LoadedConfig {
  const users = OWN_USER ? [OWN_USER] : [];
  const config = configSchema.parse({
    host_agent: { socket: path, workspace, profile: 'developer', sandbox: 'off', max_concurrent: 8, users },
    state: { directory: `${path}-state` },
  });
  return {
    ...{ config, files: [], warnings: [], references: new Map(), secrets: [] },
    originOf: () => ({ kind: 'default' }),
  };
}

afterAll(async () => {
  await patient?.close();
  await impatient?.close();
  place[Symbol.dispose]();
});

describe('a host agent under load', () => {
  it('says to one more command than may run that it is to come again', async () => {
    const all = await Promise.all(
      Array.from({ length: 12 }, () => ask({ socket }, '/execute', { body: script('sleep 0.8'), headers: keyed() })),
    );
    const refused = all.filter(({ status }) => status === 429);
    expect(refused.length).toBe(4);
    expect(refused[0]?.headers['retry-after']).toBe('1');
    expect(all.filter(({ status }) => status === 200).length).toBe(8);
  });

  it('answers those who look while no more commands may run', async () => {
    const busy = Array.from({ length: 8 }, () => ask({ socket }, '/execute', { body: script('sleep 1'), headers: keyed() }));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await ask({ socket }, '/capabilities')).status).toBe(200);
    await Promise.all(busy);
  });

  it('carries out 200 commands that come at once, each once, for a client that waits its turn', async () => {
    await using client = clientOf({ socket });
    const { environment } = await surroundingsOf(client);
    const { signal } = new AbortController();
    const results = await Promise.all(
      Array.from({ length: 200 }, (_, number) =>
        client.exec(
          {
            command: { kind: 'script', script: `mkdir ${workspace}/n${number} && echo ${number}` },
            ...{ cwd: workspace, env: environment, timeoutMs: 30_000, maxOutputBytes: 1000 },
          },
          { signal },
        ),
      ),
    );
    expect(results.filter(({ exitCode }) => exitCode !== 0)).toEqual([]);
    const told = results.map(({ stdout }) => Number(Buffer.from(stdout.head).toString()));
    expect(told).toEqual(Array.from({ length: 200 }, (_, number) => number));
  }, 90_000);
});

describe('a host agent and slow clients', () => {
  /** What the agent says to bytes that come as they are, until it hangs up. */
  function say(first: string, drip: string | undefined): Promise<string> {
    return new Promise((resolve) => {
      const client = connect(hastySocket, () => client.write(first));
      const dripping = drip === undefined ? undefined : setInterval(() => client.write(drip), 100);
      let heard = '';
      client.on('data', (data) => {
        heard += data;
      });
      client.on('error', () => {});
      client.on('close', () => {
        clearInterval(dripping);
        resolve(heard);
      });
    });
  }

  it('hangs up on one that sends its headers drop by drop', async () => {
    expect(await say('POST /execute HTTP/1.1\r\nhost: x\r\n', 'x-drop: 1\r\n')).toMatch(/^HTTP\/1\.1 408|^$/);
  });

  it('hangs up on one that never ends its body', async () => {
    const head = Object.entries(keyed()).map(([name, value]) => `${name}: ${value}\r\n`);
    expect(await say(`POST /execute HTTP/1.1\r\nhost: x\r\ncontent-length: 90000\r\n${head.join('')}\r\n{`, ' ')).toMatch(
      /^HTTP\/1\.1 408|^$/,
    );
  });

  it('ends the command of one that does not take its output', async () => {
    const word = `never-taken-${process.pid}`;
    const body = JSON.stringify(script(`: ${word}; yes ${'y'.repeat(500)}`, { stream: true }));
    const head = Object.entries(keyed()).map(([name, value]) => `${name}: ${value}\r\n`);
    const client = connect(hastySocket, () =>
      client.write(`POST /execute HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n${head.join('')}\r\n${body}`),
    );
    client.pause();
    client.on('error', () => {});
    expect(await eventually(() => processesWith(word).length > 0, 5000)).toBe(true);
    expect(await eventually(() => processesWith(word).length === 0, 10_000)).toBe(true);
    client.destroy();
  }, 20_000);

  it('ends the whole tree of a command whose client is gone', async () => {
    const word = `client-gone-${process.pid}`;
    const abort = new AbortController();
    await using client = clientOf({ socket: hastySocket });
    const { environment } = await surroundingsOf(client);
    const body = JSON.stringify(script(`: ${word}; setsid sleep 60 & sleep 60`, { env: { ...environment, WORD: word } }));
    const head = Object.entries(keyed()).map(([name, value]) => `${name}: ${value}\r\n`);
    const raw = connect(hastySocket, () =>
      raw.write(`POST /execute HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n${head.join('')}\r\n${body}`),
    );
    expect(await eventually(() => processesWith(word).length > 1, 5000)).toBe(true);
    raw.destroy();
    expect(await eventually(() => processesWith(word).length === 0, 10_000)).toBe(true);
    abort.abort();
  }, 20_000);
});
