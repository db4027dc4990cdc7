/**
 * A client’s end of HTTP to one host agent: warm connections, and repeating what may be repeated. What has an effect is
 * sent with a key, by which the agent does it once however often it is asked; what became of it when a connection breaks
 * is asked for with the same key.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../errors.ts';
import { type Attempt, type HostAgentTarget, NotSent, openHttpChannel } from './http-channel.ts';
import { ALIVE_MS, decodeFailure, type Frame, HEADERS, type Outcome } from './wire.ts';

/** One thing that is to happen, and its stream. */
export interface ActOptions {
  /** Aborting asks the agent to stop it; its outcome is still waited for. */
  readonly signal?: AbortSignal;
  onFrame?(frame: Frame): void;
}

/** An answer that goes on after its outcome. */
export interface LifeLine {
  /** Resolves when the agent ends the stream, or the connection breaks. */
  readonly closed: Promise<void>;
  onFrame(listener: (frame: Frame) => void): void;
}

/** Requests to one agent. */
export interface HostAgentConnection {
  /** Looks at something; repeated when a connection breaks. @throws Failure of the agent; `unavailable` */
  look<T>(method: 'GET' | 'POST', path: string, body?: object, signal?: AbortSignal): Promise<T>;
  /** Has something done once. @throws Failure of the agent; `unavailable` with `details.outcome` (`not_run`, `unknown`) */
  act<T>(path: string, body: object, options?: ActOptions): Promise<T>;
  /** The same, where the stream goes on after the outcome. */
  actAndHold<T>(path: string, body: object): Promise<{ readonly value: T; readonly line: LifeLine }>;
  /** Whether it answers at all. @throws Failure `unavailable` */
  health(): Promise<void>;
  close(): void;
}

/** How long a sign of life may take, milliseconds. */
const HEALTH_MS = 5000;
/** How long an agent that is away is tried again, milliseconds: as it is while it is started anew. */
const AWAY_MS = 3000;
/** How long a busy one is. */
const BUSY_MS = 60_000;
const PAUSE_MS = 100;
/** Silence after which a connection counts as broken, milliseconds. */
const SILENCE_MS = 4 * ALIVE_MS;
/** How long a look may take: searching a large tree says nothing until it is done. */
const LOOK_MS = 120_000;
/** How long what was cancelled may take to tell how it ended, milliseconds. */
const CANCEL_MS = 10_000;

/** Connects with the first request. */
export function connectHostAgent(target: HostAgentTarget): HostAgentConnection {
  const { name } = target;
  const { send, close } = openHttpChannel(target);

  function away(thrown: unknown, outcome: 'not_run' | 'unknown'): Failure {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    const denied = (thrown as { cause?: NodeJS.ErrnoException }).cause?.code === 'EACCES';
    if (denied) {
      return new Failure('denied', `You may not use the host agent ${name}: ${reason}.`, {
        hint: 'Its socket is for members of its group (`host_agent.socket_group`).',
      });
    }
    return outcome === 'unknown'
      ? new Failure('unavailable', `The connection to ${name} was lost (${reason}); what became of the request is not known.`, {
          hint: 'Look at what it has done before it is done again.',
          details: { outcome },
          cause: thrown,
        })
      : new Failure('unavailable', `${name} cannot be reached: ${reason}.`, {
          hint: 'Is `mcp-python host-agent` running there? `host_agents` in the configuration says where it is looked for.',
          details: { outcome },
          cause: thrown,
        });
  }

  /**
   * Tries as long as that does no harm.
   * @param take reads the answer to its end; what it throws that is no Failure means that the connection broke
   */
  async function insist<T>(attempt: Attempt, take: (response: IncomingMessage) => Promise<T>): Promise<T> {
    const startedMs = performance.now();
    let awaySinceMs: number | undefined;
    let sent = false;
    let refusals = 0;
    for (;;) {
      try {
        const response = await send(attempt);
        if (response.statusCode === 429 && performance.now() - startedMs < BUSY_MS) {
          response.resume();
          const askedMs = Number(response.headers['retry-after'] ?? 1) * 1000;
          const waitMs = Math.min(askedMs, PAUSE_MS * 2 ** refusals++);
          // Not all at once.
          await sleep(waitMs * (0.5 + Math.random()), undefined, attempt.signal && { signal: attempt.signal });
          continue;
        }
        sent = true;
        return await take(response);
      } catch (thrown) {
        if (thrown instanceof Failure) throw thrown;
        if (attempt.signal?.aborted) throw new Failure('cancelled', 'The request was cancelled.', { cause: thrown });
        sent ||= !(thrown instanceof NotSent);
        awaySinceMs ??= performance.now();
        if (performance.now() - awaySinceMs > AWAY_MS) throw away(thrown, sent ? 'unknown' : 'not_run');
        await sleep(PAUSE_MS);
      }
    }
  }

  /** What a connection that broke in the middle left of an effect. */
  function settled(outcome: Outcome): unknown {
    if (outcome.broken) {
      throw new Failure('unavailable', `The connection to ${name} was lost, and what was under way there was ended.`, {
        hint: 'Look at what it has done before it is done again.',
        details: { outcome: 'ended' },
      });
    }
    if ('failure' in outcome) throw decodeFailure(outcome.failure);
    return outcome.value;
  }

  /** Reads to the end, also behind the outcome: a connection that was left before could not be used again. */
  async function takeOutcome(response: IncomingMessage, onFrame?: (frame: Frame) => void): Promise<Outcome> {
    let outcome: Outcome | undefined;
    try {
      for await (const frame of framesOf(response)) {
        if ('value' in frame || 'failure' in frame) outcome = frame;
        else onFrame?.(frame);
      }
    } catch (thrown) {
      if (!outcome) throw thrown;
    }
    if (!outcome) throw new Error('it ended without an answer');
    return outcome;
  }

  function attemptOf(path: string, body: object): Attempt & { readonly key: string } {
    const key = randomUUID();
    const headers = { [HEADERS.key]: key, [HEADERS.time]: String(Date.now()) };
    return { method: 'POST', path, body: JSON.stringify(body), headers, silenceMs: SILENCE_MS, long: true, key };
  }

  return {
    async look<T>(method: 'GET' | 'POST', path: string, body?: object, signal?: AbortSignal): Promise<T> {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const attempt = { method, path, body: text, headers: {}, signal, silenceMs: LOOK_MS, long: signal !== undefined };
      return settled(await insist(attempt, (response) => takeOutcome(response))) as T;
    },
    async act<T>(path: string, body: object, { signal, onFrame }: ActOptions = {}): Promise<T> {
      const { key, ...attempt } = attemptOf(path, body);
      const gone = new AbortController();
      let giveUp: NodeJS.Timeout | undefined;
      const cancel = () => {
        giveUp = setTimeout(() => gone.abort(), CANCEL_MS);
        const asking = {
          method: 'POST',
          path: '/cancel',
          body: JSON.stringify({ key }),
          headers: {},
          silenceMs: CANCEL_MS,
        } as const;
        send(asking).then(
          (response) => response.resume(),
          () => gone.abort(),
        );
      };
      if (signal?.aborted) throw new Failure('cancelled', 'The request was cancelled before it was sent.');
      signal?.addEventListener('abort', cancel, { once: true });
      try {
        const outcome = await insist({ ...attempt, signal: gone.signal }, (response) => takeOutcome(response, onFrame));
        return settled(outcome) as T;
      } finally {
        clearTimeout(giveUp);
        signal?.removeEventListener('abort', cancel);
      }
    },
    async actAndHold<T>(path: string, body: object) {
      const { key: _, ...attempt } = attemptOf(path, body);
      return insist(attempt, (response) => hold<T>(response, settled));
    },
    async health() {
      const attempt = { method: 'GET', path: '/health', body: undefined, headers: {}, silenceMs: HEALTH_MS } as const;
      const response = await send(attempt).catch((thrown: unknown) => {
        throw away(thrown, 'not_run');
      });
      response.resume();
      if (response.statusCode !== 200) throw away(new Error(`it answers ${response.statusCode}`), 'not_run');
    },
    close,
  };
}

/** The lines of an answer. */
async function* framesOf(response: IncomingMessage): AsyncGenerator<Frame> {
  let rest: Buffer[] = [];
  for await (const chunk of response) {
    let from = 0;
    const data = chunk as Buffer;
    for (let end = data.indexOf(10); end !== -1; end = data.indexOf(10, from)) {
      const line = Buffer.concat([...rest, data.subarray(from, end)]);
      rest = [];
      from = end + 1;
      yield JSON.parse(line.toString()) as Frame;
    }
    if (from < data.length) rest.push(data.subarray(from));
  }
  // An answer that is one JSON value has no line feed.
  if (rest.length > 0) yield JSON.parse(Buffer.concat(rest).toString()) as Frame;
}

/** Resolves with the outcome; the rest of the stream is the life line. */
async function hold<T>(response: IncomingMessage, settled: (outcome: Outcome) => unknown) {
  const frames = framesOf(response);
  let first: IteratorResult<Frame>;
  do first = await frames.next();
  while (!first.done && !('value' in first.value || 'failure' in first.value));
  if (first.done) throw new Error('it ended without an answer');
  const value = settled(first.value as Outcome) as T;
  let listener: ((frame: Frame) => void) | undefined;
  async function follow(): Promise<void> {
    for await (const frame of frames) listener?.(frame);
  }
  const line: LifeLine = {
    closed: follow().catch(() => {}),
    onFrame(hear) {
      listener = hear;
    },
  };
  return { value, line };
}
