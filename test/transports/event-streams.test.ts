import { createServer, get, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { EventStreams, startEventStream } from '../../src/transports/event-streams.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A response that a real client reads, and what has come through it. */
async function connection(): Promise<{ response: ServerResponse; received: () => string; ended: Promise<void> }> {
  const arrived = Promise.withResolvers<ServerResponse>();
  const server = createServer((_, response) => {
    startEventStream(response);
    arrived.resolve(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  let text = '';
  const ended = Promise.withResolvers<void>();
  const request = get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' }, (reading) => {
    reading.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    reading.on('close', () => ended.resolve());
  });
  request.on('error', () => ended.resolve());
  closing.push(() => {
    request.destroy();
    server.close();
  });
  return { response: await arrived.promise, received: () => text, ended: ended.promise };
}

const limits = { events: 100, bytes: 100_000, retryMs: 500 };
const idsIn = (text: string) => [...text.matchAll(/^id: (.*)$/gm)].map((match) => match[1] as string);
const dataIn = (text: string) => [...text.matchAll(/^data: (.*)$/gm)].map((match) => match[1]).filter((data) => data !== '');

async function whole({ ended, received }: Awaited<ReturnType<typeof connection>>): Promise<string> {
  await ended;
  return received();
}

describe('the event streams of a session', () => {
  it('replay exactly what was missed on the one stream, then go on live', async () => {
    const streams = new EventStreams(limits);
    const [stream, other] = [streams.open(), streams.open()];
    const first = await connection();
    streams.carry(stream, first.response, true);
    streams.send(stream, 'one');
    streams.send(other, 'of another stream');
    streams.drop(stream);
    const before = await whole(first);
    streams.send(stream, 'two');

    const second = await connection();
    const place = streams.locate(idsIn(before).at(-1) as string);
    expect(place).toBeDefined();
    streams.resume(second.response, place as NonNullable<typeof place>);
    streams.send(stream, 'three');
    streams.finish(stream);
    expect(dataIn(before)).toEqual(['one']);
    expect(dataIn(await whole(second))).toEqual(['two', 'three']);
  });

  it('begin with an id and no data, and say when to come back before a drop', async () => {
    const streams = new EventStreams(limits);
    const stream = streams.open();
    const client = await connection();
    streams.carry(stream, client.response, true);
    streams.drop(stream);
    expect(await whole(client)).toMatch(/^id: \S+\ndata: \n\nretry: 500\n\n$/);
  });

  it('do not know ids of another session', async () => {
    const [mine, theirs] = [new EventStreams(limits), new EventStreams(limits)];
    const client = await connection();
    const stream = theirs.open();
    theirs.carry(stream, client.response, true);
    mine.open();
    theirs.finish(stream);
    const [id] = idsIn(await whole(client));
    expect(theirs.locate(id as string)).toBeUndefined();
    expect(mine.locate(id as string)).toBeUndefined();
  });

  it.each(['', 'x', '1_1', 'a.b_c', 'tag.1_999999999999999999999'])('do not know %j', (id) => {
    const streams = new EventStreams(limits);
    streams.open();
    expect(streams.locate(id)).toBeUndefined();
  });

  it('refuse to resume from where something is no longer kept', async () => {
    const streams = new EventStreams({ ...limits, events: 2 });
    const stream = streams.open();
    const client = await connection();
    streams.carry(stream, client.response, false);
    for (const data of ['1', '2', '3', '4']) streams.send(stream, data);
    streams.drop(stream);
    const ids = idsIn(await whole(client));
    expect(ids.map((id) => streams.locate(id) !== undefined)).toEqual([false, true, true, true]);
  });

  it('keep no more bytes than allowed', async () => {
    const streams = new EventStreams({ ...limits, bytes: 1000 });
    const stream = streams.open();
    const client = await connection();
    streams.carry(stream, client.response, false);
    for (let count = 0; count < 10; count++) streams.send(stream, 'x'.repeat(300));
    streams.drop(stream);
    const ids = idsIn(await whole(client));
    expect(ids.filter((id) => streams.locate(id) !== undefined)).toHaveLength(4);
  });

  it('move to a new connection, ending the old one', async () => {
    const streams = new EventStreams(limits);
    const stream = streams.open();
    const [old, fresh] = [await connection(), await connection()];
    streams.carry(stream, old.response, false);
    streams.carry(stream, fresh.response, false);
    await old.ended;
    streams.send(stream, 'hello');
    streams.finish(stream);
    expect(dataIn(await whole(fresh))).toEqual(['hello']);
  });
});
