/** The requests the bench sends over HTTP, the same bytes to every server, and the check of what comes back. */
import type { RawConnection, RawResponse } from './raw-http.ts';

export type Era = 'sessions' | 'stateless';

const CLIENT = { name: 'bench', version: '1.0.0' };
const SESSION_VERSION = '2025-11-25';
const STATELESS_VERSION = '2026-07-28';

/** Ids have as many digits as each other, so that a prepared head fits every body. */
let lastId = 1_000_000;

/** The head of a POST as clients send it. */
function head(port: number, length: number, headers: Readonly<Record<string, string>>): string {
  const all = {
    host: `127.0.0.1:${port}`,
    connection: 'keep-alive',
    'user-agent': 'bench',
    accept: 'application/json, text/event-stream',
    'content-type': 'application/json',
    'content-length': String(length),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST /mcp HTTP/1.1\r\n${lines.join('')}\r\n`;
}

function post(port: number, body: string, headers: Readonly<Record<string, string>> = {}): string {
  return head(port, body.length, headers) + body;
}

function sessionHeaders(session: string): Record<string, string> {
  return { 'mcp-session-id': session, 'mcp-protocol-version': SESSION_VERSION };
}

/** Opens a session as a client does, and gives its id. */
export async function openSession(connection: RawConnection, port: number): Promise<string> {
  const initialize = {
    jsonrpc: '2.0',
    id: ++lastId,
    method: 'initialize',
    params: { protocolVersion: SESSION_VERSION, capabilities: {}, clientInfo: CLIENT },
  };
  const opened = await connection.exchange(post(port, JSON.stringify(initialize)));
  const session = /\r\nmcp-session-id: *([^\r]+)/i.exec(opened.head)?.[1];
  if (opened.status !== 200 || session === undefined || !opened.body.includes(SESSION_VERSION)) throw wrong('initialize', opened);
  const initialized = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' });
  const accepted = await connection.exchange(post(port, initialized, sessionHeaders(session)));
  if (accepted.status !== 202) throw wrong('notifications/initialized', accepted);
  return session;
}

/** Asks a session for its tools, as a client does after `initialize`. */
export async function listTools(connection: RawConnection, port: number, session: string): Promise<void> {
  const id = ++lastId;
  const body = JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/list', params: {} });
  const response = await connection.exchange(post(port, body, sessionHeaders(session)));
  if (!answers(response, id, '"tools":[')) throw wrong('tools/list', response);
}

/** Calls any tool once on a session. @param expected part of the answer's body */
export async function callTool(
  connection: RawConnection,
  port: number,
  session: string,
  call: { readonly name: string; readonly arguments: Readonly<Record<string, unknown>> },
  expected: string,
): Promise<void> {
  const id = ++lastId;
  const body = JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: call });
  const response = await connection.exchange(post(port, body, sessionHeaders(session)));
  if (!answers(response, id, expected)) throw wrong(call.name, response);
}

/** A function that makes one verified call of the cheap tool. @throws Error for a wrong answer */
export function echoCaller(connection: RawConnection, port: number, session: string | undefined): () => Promise<void> {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': STATELESS_VERSION,
    'io.modelcontextprotocol/clientInfo': CLIENT,
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: 7_777_777,
    method: 'tools/call',
    params: { name: 'bench_echo', arguments: { text: 'hello 7777777' }, ...(session === undefined && { _meta: meta }) },
  });
  const headers =
    session === undefined
      ? { 'mcp-protocol-version': STATELESS_VERSION, 'mcp-method': 'tools/call', 'mcp-name': 'bench_echo' }
      : sessionHeaders(session);
  const [beforeId = '', beforeText = '', afterText = ''] = post(port, body, headers).split('7777777');
  return async () => {
    const id = ++lastId;
    const response = await connection.exchange(beforeId + id + beforeText + id + afterText);
    if (!answers(response, id, `"text":"hello ${id}"`)) throw wrong('bench_echo', response);
  };
}

function answers({ status, body }: RawResponse, id: number, expected: string): boolean {
  return status === 200 && body.includes(`"id":${id}`) && body.includes(expected) && !body.includes('"isError":true');
}

function wrong(what: string, { status, head: top, body }: RawResponse): Error {
  return new Error(`Wrong answer to ${what} (${status}):\n${top.slice(0, 500)}\n\n${body.slice(0, 500)}`);
}
