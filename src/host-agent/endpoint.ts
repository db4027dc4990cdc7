/** One thing that the host agent can be asked for. */
import type { z } from 'zod';
import type { GuardedBackend } from '../guard/guarded-backend.ts';
import type { Principal, Scope } from '../identity/principal.ts';
import type { FrameStream } from './exchange.ts';
import type { Host } from './hosts.ts';

/** A request that has been let in. */
export interface HostCall {
  readonly principal: Principal;
  readonly host: Host;
  /** The machine on behalf of the peer. */
  readonly guarded: GuardedBackend;
  /** Aborted when the peer cancels the request, or is gone. */
  readonly signal: AbortSignal;
  /** Only of an endpoint that streams. */
  readonly frames: FrameStream;
}

/** What can be asked for at one path. */
export interface Endpoint<I = never> {
  readonly method: 'GET' | 'POST';
  readonly scope: Scope;
  /** It does something that must not happen twice: a request needs a key. */
  readonly effect: boolean;
  readonly streams: boolean;
  readonly input: z.ZodType<I>;
  run(input: I, call: HostCall): Promise<unknown>;
  /** Goes on with the stream once the outcome has been told; it ends when this does. */
  goOn?(value: unknown, input: I, call: HostCall): Promise<void>;
}

/** An endpoint that only looks. */
export function looks<I>(input: z.ZodType<I>, run: Endpoint<I>['run'], method: 'GET' | 'POST' = 'POST'): Endpoint {
  return { method, scope: 'tools:read', effect: false, streams: false, input, run } as Endpoint<I> as Endpoint;
}

/** An endpoint whose effect happens once. */
export function acts<I>(
  input: z.ZodType<I>,
  run: Endpoint<I>['run'],
  more: Partial<Pick<Endpoint<I>, 'streams' | 'goOn'>> = {},
): Endpoint {
  return { method: 'POST', scope: 'tools:execute', effect: true, streams: false, input, run, ...more } as Endpoint<I> as Endpoint;
}
