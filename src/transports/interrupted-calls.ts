/** Calls that ran when the server process died: what is kept of them, and how their callers are answered. */
import {
  ERROR_CODES,
  encodeMessage,
  errorResponse,
  type JsonRpcRequest,
  ProtocolError,
  type RequestId,
} from '../protocol/jsonrpc.ts';
import type { Catalogue } from '../tools/catalogue.ts';

interface KeptRequest {
  readonly id: RequestId;
  readonly method: string;
  /** Of the tool that is called. */
  readonly tool?: string;
}

/** What has to be known of a request to answer it without having run it. */
export function keptRequest({ id, method, params }: JsonRpcRequest): string {
  const tool = method === 'tools/call' && typeof params?.name === 'string' ? params.name : undefined;
  return JSON.stringify({ id, method, ...(tool !== undefined && { tool }) } satisfies KeptRequest);
}

/** `data` of the error that a call ends with when nobody knows how far it got. */
export interface UnknownOutcome {
  readonly code: 'unavailable';
  readonly outcome: 'unknown';
  /** Whether sending the request again does no harm: it only reads, or doing it twice is like doing it once. */
  readonly safe_to_retry: boolean;
}

/** The error response, as JSON, to a request whose kept form is given. */
export async function interruptedResponse(kept: string, catalogue: Catalogue): Promise<string> {
  const { id, method, tool } = JSON.parse(kept) as KeptRequest;
  const safe = method === 'tools/call' ? await isRepeatable(tool ?? '', catalogue) : true;
  return encodeMessage(errorResponse(id, unknownOutcome(`The server was restarted while ${tool ?? method} ran`, safe)));
}

/** @param what happened, the first half of the message */
export function unknownOutcome(what: string, safe: boolean): ProtocolError {
  const next = safe
    ? 'It is safe to send the request again.'
    : 'Look whether it was done before you send the request again: it may have been, in part or as a whole.';
  const data: UnknownOutcome = { code: 'unavailable', outcome: 'unknown', safe_to_retry: safe };
  return new ProtocolError(ERROR_CODES.internal, `${what}, so its outcome is unknown. ${next}`, data);
}

async function isRepeatable(name: string, catalogue: Catalogue): Promise<boolean> {
  // A tool that this server no longer has is not safe to repeat: nobody knows.
  const tool = await catalogue.tool(name).catch(() => undefined);
  return tool !== undefined && (tool.annotations.readOnlyHint || tool.annotations.idempotentHint);
}
