/**
 * What the person at this machine can ask of the running server beside MCP, below `/control/` on the local socket:
 *
 *     GET  /control/agents                 the orchestrator's status
 *     POST /control/agents/scale?count=N   keep N agents
 *     POST /control/agents/ID/restart      replace one at once
 *     POST /control/agents/ID/drain        let one finish its calls and end
 *
 * Answers are JSON: the status afterwards, or `{"error": …}` as a failure takes in JSON.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Failure, type FailureCode, failureToJson, toFailure } from '../errors.ts';
import type { Orchestrator } from '../orchestrator/orchestrator.ts';
import type { Pool } from '../orchestrator/pool.ts';
import { sendJson } from './http-exchange.ts';

const STATUS: Partial<Record<FailureCode, number>> = { not_found: 404, invalid_input: 400, unsupported: 409 };

export function createControl(orchestrator: Orchestrator): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  function pool(): Pool {
    if (orchestrator.pool) return orchestrator.pool;
    throw new Failure('unsupported', 'This server runs all calls itself: `orchestrator.agent_count` is 0.');
  }

  function actionOf(method: string | undefined, url: URL): () => void {
    const [, what, id, verb] = url.pathname.split('/').filter(Boolean);
    if (what === 'agents' && method === 'GET' && id === undefined) return () => {};
    if (what === 'agents' && method === 'POST' && id !== undefined) {
      if (id === 'scale' && verb === undefined) return () => pool().scale(Number(url.searchParams.get('count')));
      if (verb === 'restart') return () => pool().restart(id);
      if (verb === 'drain') return () => pool().drain(id);
    }
    throw new Failure('not_found', `There is nothing to control at ${method} ${url.pathname}.`);
  }

  return async (request, response) => {
    request.resume();
    try {
      actionOf(request.method, new URL(request.url ?? '/', 'http://localhost'))();
      sendJson(response, 200, JSON.stringify(orchestrator.status()));
    } catch (thrown) {
      const failure = toFailure(thrown);
      sendJson(response, STATUS[failure.code] ?? 500, JSON.stringify({ error: failureToJson(failure) }));
    }
  };
}
