/** One way to a server that comes and goes: a request, and the answer to it or none. */

// biome-ignore lint/suspicious/noExplicitAny: whatever the server sent
export type Message = any;

export interface Wire extends AsyncDisposable {
  /**
   * Sends a request and waits for its response. Aborting the signal leaves, with whatever manners the wire has for it.
   * @param id all clients count from 1, so that answers of others would fit
   * @throws NoAnswer where the server is away, or died meanwhile; WrongAnswer
   */
  exchange(id: number, method: string, params: Readonly<Record<string, unknown>>, signal?: AbortSignal): Promise<Message>;
}

export interface WireOptions {
  readonly port: number;
  /** The API key of its client. */
  readonly key: string;
  /** What was answered that nobody waited for, or a session that was lost. */
  onWrong(what: string): void;
}

/** Somebody else's answer. */
export class WrongAnswer extends Error {
  override readonly name = 'WrongAnswer';
}

/** It cannot be known what became of the request. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/** A server that lives and says nothing for so long, milliseconds, has lost the request. */
export const PATIENCE_MS = 60_000;
/** The message of a `NoAnswer` of that kind. */
export const NO_WORD = `no word for ${PATIENCE_MS / 1000} s`;

export const SESSION_VERSION = '2025-11-25';
export const CLIENT_INFO = { name: 'chaos', version: '1' };
