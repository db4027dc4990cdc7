/** Reads server-sent events from an answer (WHATWG HTML, server-sent events, 9.2.6). */
import type { IncomingMessage } from 'node:http';

/** One event; fields it lacked are undefined. */
export interface ReadEvent {
  readonly id: string | undefined;
  readonly data: string | undefined;
  /** Milliseconds after which to come back once the stream has ended. */
  readonly retryMs: number | undefined;
}

/** @throws what broke the connection; an answer that ended in good order just ends */
export async function* readEvents(response: IncomingMessage): AsyncGenerator<ReadEvent, void> {
  let id: string | undefined;
  let data: string | undefined;
  let retryMs: number | undefined;
  for await (const line of linesOf(response)) {
    if (line === '') {
      if (id !== undefined || data !== undefined || retryMs !== undefined) yield { id, data, retryMs };
      id = undefined;
      data = undefined;
      retryMs = undefined;
      continue;
    }
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'data') data = data === undefined ? value : `${data}\n${value}`;
    else if (field === 'id' && !value.includes('\0')) id = value;
    else if (field === 'retry' && /^\d{1,9}$/.test(value)) retryMs = Number(value);
  }
  // An event that the end cut off does not count, but its time to come back does no harm.
  if (retryMs !== undefined) yield { id: undefined, data: undefined, retryMs };
}

async function* linesOf(response: IncomingMessage): AsyncGenerator<string, void> {
  let rest = '';
  for await (const chunk of response.setEncoding('utf8') as AsyncIterable<string>) {
    const [first = '', ...others] = chunk.split('\n');
    rest += first;
    for (const next of others) {
      yield rest.endsWith('\r') ? rest.slice(0, -1) : rest;
      rest = next;
    }
  }
}
