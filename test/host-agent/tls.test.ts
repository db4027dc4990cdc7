import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHostAgentFamily } from '../../src/backends/host-agent/family.ts';
import type { HostAgentEntry } from '../../src/config/host-agent-section.ts';
import { newApiKey } from '../../src/identity/api-key.ts';
import { keysFolder } from '../../src/identity/key-record.ts';
import { openKeyStore } from '../../src/identity/key-store.ts';
import { createHome } from '../fixtures/server.ts';
import { keyed, type RunningAgent, script, startAgent, surroundingsOf, temporaryFolder } from './running-agent.ts';

const place = temporaryFolder();
const home = createHome();
const file = (name: string) => join(place.folder, name);
const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: place.folder, stdio: 'pipe' });

function authority(name: string): void {
  openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', `/CN=${name}`,
    '-keyout', `${name}.key`, '-out', `${name}.pem`); // biome-ignore format: one command
}

function certificate(name: string, signer: string): void {
  openssl(
    'req',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-subj',
    `/CN=${name}`,
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.csr`,
  );
  writeFileSync(file('names'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
  openssl(
    'x509',
    '-req',
    '-in',
    `${name}.csr`,
    '-CA',
    `${signer}.pem`,
    '-CAkey',
    `${signer}.key`,
    '-CAcreateserial',
    '-days',
    '2',
    '-extfile',
    'names',
    '-out',
    `${name}.pem`,
  );
}

let byCertificate: RunningAgent;
let byKey: RunningAgent;
let token: string;
const urlOf = ({ places }: RunningAgent) => places.find((each) => each.startsWith('https:')) ?? '';

beforeAll(async () => {
  authority('ours');
  authority('theirs');
  certificate('server', 'ours');
  certificate('client', 'ours');
  certificate('stranger', 'theirs');
  const tls = { certificate_file: file('server.pem'), key_file: file('server.key') };
  const network = { host: '127.0.0.1', port: 0 };
  mkdirSync(join(home.folder, 'second'));
  byCertificate = await startAgent({ ...network, tls: { ...tls, client_ca_file: file('ours.pem') } });
  byKey = await startAgent({ ...network, tls }, { home });
  const store = openKeyStore(keysFolder(join(home.folder, '.local/state/mcp-python')));
  const made = await store.create({
    name: 'web',
    scopes: ['tools:read', 'tools:execute'],
    expiresMs: undefined,
    requestsPerMinute: undefined,
  });
  token = made.text;
  writeFileSync(file('token'), `${token}\n`);
  writeFileSync(file('wrong'), newApiKey().text);
}, 60_000);
afterAll(async () => {
  await byCertificate?.[Symbol.asyncDispose]();
  await byKey?.[Symbol.asyncDispose]();
  home[Symbol.dispose]();
  place[Symbol.dispose]();
});

interface Sent {
  readonly path?: string;
  readonly cert?: string;
  readonly token?: string;
}

/** Status of one request; a certificate by its name. */
function ask(
  agent: RunningAgent,
  { path = '/capabilities', cert, token: sent }: Sent = {},
): Promise<{ status: number; text: string }> {
  const { hostname, port } = new URL(urlOf(agent));
  return new Promise((resolve, reject) => {
    const execute = path === '/execute';
    const asking = request(
      {
        ...{ hostname, port, path, method: execute ? 'POST' : 'GET', agent: false, ca: readFileSync(file('ours.pem')) },
        headers: { ...(sent && { authorization: `Bearer ${sent}` }), ...(execute && keyed()) },
        ...(cert && { cert: readFileSync(file(`${cert}.pem`)), key: readFileSync(file(`${cert}.key`)) }),
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (piece) => {
          text += piece;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      },
    );
    asking.on('error', reject);
    asking.end(execute ? JSON.stringify(script('echo over tls')) : undefined);
  });
}

function backend(agent: RunningAgent, entry: Partial<HostAgentEntry>) {
  const family = createHostAgentFamily([{ name: 'far', url: urlOf(agent), ca_file: file('ours.pem'), ...entry }], place.folder);
  return { family, open: () => family.open('far') };
}

describe('a host agent on the network', () => {
  it('tells strangers that it is there, and nothing else', async () => {
    for (const agent of [byCertificate, byKey]) {
      expect(await ask(agent, { path: '/health' })).toEqual({ status: 200, text: '{"status":"ok"}' });
      for (const path of ['/capabilities', '/info', '/execute', '/nothing-here']) {
        const { status, text } = await ask(agent, { path });
        expect(status).toBe(401);
        expect(text).not.toMatch(/version|nothing-here|workspace/);
      }
    }
  });

  it('lets in who has a certificate that counts, and no other', async () => {
    expect((await ask(byCertificate, { cert: 'client' })).status).toBe(200);
    expect((await ask(byCertificate, { cert: 'stranger' })).status).toBe(401);
    // A key is no replacement for the certificate.
    expect((await ask(byCertificate, { token })).status).toBe(401);
  });

  it('lets in who has a key, and no other', async () => {
    expect((await ask(byKey, { token, path: '/execute' })).text).toContain(Buffer.from('over tls\n').toString('base64'));
    expect((await ask(byKey, { token: newApiKey().text })).status).toBe(401);
    expect((await ask(byKey, { token: `${token}x` })).status).toBe(401);
    expect((await ask(byKey, { cert: 'client' })).status).toBe(401);
  });

  it('is a backend for a client with a certificate, or with a key', async () => {
    const ways = [
      backend(byCertificate, { certificate_file: file('client.pem'), key_file: file('client.key') }),
      backend(byKey, { token_file: file('token') }),
    ];
    for (const { family, open } of ways) {
      const machine = await open();
      const { workspace, environment } = await surroundingsOf(machine);
      const request = { command: { kind: 'argv', argv: ['echo', 'far'] }, cwd: workspace, env: environment } as const;
      const { stdout } = await machine.exec(
        { ...request, timeoutMs: 9000, maxOutputBytes: 99 },
        { signal: new AbortController().signal },
      );
      expect(Buffer.from(stdout.head).toString()).toBe('far\n');
      expect(await machine.health()).toMatchObject({ ok: true });
      await family[Symbol.asyncDispose]();
    }
  });

  it('is said to refuse a client with the wrong key, or certificate', async () => {
    for (const { family, open } of [
      backend(byKey, { token_file: file('wrong') }),
      backend(byCertificate, { certificate_file: file('stranger.pem'), key_file: file('stranger.key') }),
    ]) {
      const machine = await open();
      await expect(machine.info()).rejects.toMatchObject({ code: 'denied' });
      expect(await machine.health()).toMatchObject({ ok: false });
      await family[Symbol.asyncDispose]();
    }
  });

  it('is not trusted without a certificate of a known authority', async () => {
    const { family, open } = backend(byKey, { token_file: file('token'), ca_file: file('theirs.pem') });
    await expect((await open()).info()).rejects.toMatchObject({ code: 'unavailable', details: { outcome: 'not_run' } });
    await family[Symbol.asyncDispose]();
  }, 15_000);
});

describe('starting on the network', () => {
  it('fails without a certificate: nothing is told unencrypted', async () => {
    await expect(startAgent({ host: '127.0.0.1', port: 0 })).rejects.toThrow(/with TLS only/);
  }, 20_000);
});
