/** Questions in rounds, and subscriptions/listen: what MCP 2026-07-28 has in place of requests from the server. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exchange, messageOf, messagesOf, type OpenAnswer, open } from '../fixtures/http-client.ts';
import { type StatelessRequest, stateless } from '../fixtures/mcp-http.ts';
import { CONFORMANCE_PLUGIN, type RunningServer, startServer, WIRE_PLUGIN } from '../fixtures/server.ts';

const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId';
const ALL = { elicitation: {}, sampling: {}, roots: {} };

let server: RunningServer;
beforeAll(async () => {
  server = await startServer({ plugins: [CONFORMANCE_PLUGIN, WIRE_PLUGIN] });
});
afterAll(() => server[Symbol.asyncDispose]());

const send = (method: string, params: Readonly<Record<string, unknown>>, options: StatelessRequest = { capabilities: ALL }) =>
  exchange(server.url, stateless(method, params, options));
const callTool = (name: string, params: object = {}, capabilities: object = ALL) =>
  send('tools/call', { name, arguments: {}, ...params }, { capabilities });
const accept = (content: object) => ({ action: 'accept', content });

describe('a call that must ask', () => {
  const TOOL = 'test_input_required_result_multi_round';

  it('takes as many rounds as it has questions, and remembers the answers', async () => {
    const first = (await callTool(TOOL)).json.result;
    expect(first).toMatchObject({
      resultType: 'input_required',
      inputRequests: { step1: { method: 'elicitation/create' } },
      requestState: expect.any(String),
    });
    const second = (
      await callTool(TOOL, { inputResponses: { step1: accept({ name: 'Ann' }) }, requestState: first.requestState })
    ).json.result;
    expect(Object.keys(second.inputRequests)).toEqual(['step2']);
    expect(second.requestState).not.toBe(first.requestState);
    const third = (
      await callTool(TOOL, { inputResponses: { step2: accept({ color: 'blue' }) }, requestState: second.requestState })
    ).json.result;
    expect(third).toMatchObject({ resultType: 'complete', content: [{ text: 'Ann likes blue.' }] });
  });

  it('asks again for what is missing or no answer, and ignores what nobody asked for', async () => {
    const name = 'test_input_required_result_elicitation';
    for (const inputResponses of [{}, { other: accept({}) }, { user_name: 7 }, { user_name: { action: 'maybe' } }, null, []]) {
      const { json } = await callTool(name, { inputResponses });
      expect(Object.keys(json.result.inputRequests)).toEqual(['user_name']);
    }
    const { json } = await callTool(name, { inputResponses: { user_name: accept({ name: 'Ann' }), other: 1 } });
    expect(json.result.content[0].text).toBe('Hello, Ann!');
  });

  it('needs the client to say that it can be asked: else 400 and -32021 with what is missing', async () => {
    const { status, json } = await callTool('test_missing_capability', {}, { elicitation: {} });
    expect(status).toBe(400);
    expect(json.error).toMatchObject({ code: -32021, data: { requiredCapabilities: { sampling: {} } } });
  });

  it('may be a prompt, but not a list', async () => {
    const name = 'test_input_required_result_prompt';
    const { json } = await send('prompts/get', { name });
    expect(json.result.resultType).toBe('input_required');
    const { requestState } = json.result;
    const answered = await send('prompts/get', {
      name,
      requestState,
      inputResponses: { user_context: accept({ context: 'c' }) },
    });
    expect(answered.json.result).toMatchObject({ resultType: 'complete', messages: [{ role: 'user' }] });
    expect((await send('tools/list', { requestState: 'x', inputResponses: {} })).json.result.resultType).toBe('complete');
  });
});

describe('the state between rounds', () => {
  const TOOL = 'test_input_required_result_tampered_state';
  const inputResponses = { confirm: accept({ ok: true }) };
  const stateOf = async (name = TOOL) => (await callTool(name)).json.result.requestState as string;
  const refusal = async (requestState: unknown, name = TOOL) =>
    (await callTool(name, { requestState, inputResponses })).json.error;

  it('is refused with -32602 when one letter of it changed, wherever', async () => {
    const state = await stateOf();
    for (const at of [0, Math.floor(state.length / 2), state.length - 2]) {
      const other = state[at] === 'A' ? 'B' : 'A';
      expect(await refusal(state.slice(0, at) + other + state.slice(at + 1))).toMatchObject({ code: -32602 });
    }
    expect(await refusal(`${state}AAAA`)).toMatchObject({ code: -32602 });
    expect(await refusal(state.slice(0, 20))).toMatchObject({ code: -32602 });
  });

  it.each(['', 'AAAA', '{}', 7, {}, [], true])('is refused when it is %o', async (state) => {
    expect(await refusal(state)).toMatchObject({ code: -32602 });
  });

  it('is good for one use', async () => {
    const state = await stateOf();
    expect(await refusal(state)).toBeUndefined();
    expect(await refusal(state)).toMatchObject({ code: -32602, message: expect.stringContaining('used before') });
  });

  it('is good for its own tool, arguments and method only', async () => {
    expect(await refusal(await stateOf(), 'test_input_required_result_request_state')).toMatchObject({ code: -32602 });
    const other = await callTool(TOOL, { requestState: await stateOf(), inputResponses, arguments: { more: 1 } });
    expect(other.json.error.code).toBe(-32602);
    const prompt = await send('prompts/get', {
      name: 'test_input_required_result_prompt',
      requestState: await stateOf(),
      inputResponses,
    });
    expect(prompt.json.error.code).toBe(-32602);
  });

  it('tells the client nothing of what is in it', async () => {
    const plain = Buffer.from(await stateOf(), 'base64url').toString('latin1');
    expect(plain).not.toContain('asked-for-integrity');
  });

  it('of another server is refused', async () => {
    await using other = await startServer({ plugins: [CONFORMANCE_PLUGIN] });
    const call = (params: object) =>
      exchange(other.url, stateless('tools/call', { name: TOOL, arguments: {}, ...params }, { capabilities: ALL }));
    const foreign = (await call({})).json.result.requestState;
    expect(await refusal(foreign)).toMatchObject({ code: -32602 });
  });
});

describe('subscriptions/listen', () => {
  const listen = (notifications: object, id: string | number = 'sub') =>
    open(server.url, stateless('subscriptions/listen', { notifications }, { id }));
  const first = async (stream: OpenAnswer) => messageOf(await stream.next());
  const trigger = async () => {
    for (const name of [
      'test_trigger_tool_change',
      'test_trigger_prompt_change',
      'wire_resources',
      'test_trigger_resource_update',
    ]) {
      expect((await callTool(name)).status).toBe(200);
    }
  };

  it('says first what it will tell, and leaves out what it does not know', async () => {
    const asked = { toolsListChanged: true, promptsListChanged: false, weather: true, resourceSubscriptions: ['test://a'] };
    const stream = await listen(asked, 17);
    expect(stream.headers['content-type']).toBe('text/event-stream');
    expect(await first(stream)).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/subscriptions/acknowledged',
      params: {
        notifications: { toolsListChanged: true, resourceSubscriptions: ['test://a'] },
        _meta: { [SUBSCRIPTION]: 17 },
      },
    });
    stream.break();
  });

  it.each([
    [{ toolsListChanged: true }, Array(2).fill('notifications/tools/list_changed')],
    [{ promptsListChanged: true }, Array(2).fill('notifications/prompts/list_changed')],
    [{ resourcesListChanged: true }, Array(2).fill('notifications/resources/list_changed')],
    [{ resourceSubscriptions: ['test://watched-resource'] }, ['notifications/resources/updated']],
    [{ resourceSubscriptions: ['test://static-text'] }, []],
    [{}, []],
  ])('with %o tells exactly that, each with the id of the subscription', async (filter, expected) => {
    const stream = await listen(filter);
    await first(stream);
    await trigger();
    const told = [];
    for (const _ of expected) told.push(await first(stream));
    expect(told.map(({ method }) => method)).toEqual(expected);
    expect(told.map(({ params }) => params._meta[SUBSCRIPTION])).toEqual(expected.map(() => 'sub'));
    const quiet = Promise.race([stream.next(), new Promise((resolve) => setTimeout(() => resolve('quiet'), 100))]);
    expect(await quiet).toBe('quiet');
    stream.break();
  });

  it('needs a client that takes event streams: else 406; and a filter: else -32602', async () => {
    const request = stateless('subscriptions/listen', { notifications: {} }, { headers: { accept: 'application/json' } });
    expect((await exchange(server.url, request)).status).toBe(406);
    const { json, events } = await exchange(server.url, stateless('subscriptions/listen'));
    expect((events.length > 0 ? messagesOf(events)[0] : json).error.code).toBe(-32602);
  });

  it('ends with a response when the server stops', async () => {
    await using stopping = await startServer();
    const stream = await open(stopping.url, stateless('subscriptions/listen', { notifications: {} }, { id: 'last' }));
    await first(stream);
    stopping.child.kill('SIGTERM');
    const messages = messagesOf(await stream.rest());
    expect(messages).toEqual([{ jsonrpc: '2.0', id: 'last', result: expect.objectContaining({ resultType: 'complete' }) }]);
    expect(messages[0].result._meta[SUBSCRIPTION]).toBe('last');
    expect(await stopping.exit).toBe(0);
  });
});
