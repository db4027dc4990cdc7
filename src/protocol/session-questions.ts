/** Questions of a session's server to its client: requests that go the other way while a call waits. */
import { Failure } from '../errors.ts';
import type { AskRequest, JsonObject } from '../tools/tool.ts';
import { isAnswer, missingCapability } from './client-questions.ts';
import { isObject, type JsonRpcMessage, type JsonRpcResponse, type RequestId } from './jsonrpc.ts';

/** Begins the ids of our questions: a late answer to a question of an earlier process must not fit one of ours. */
const QUESTION = `server-${Math.floor(performance.timeOrigin).toString(36)}-`;

/** Sends on the stream of the request that asks. */
type Send = (message: JsonRpcMessage, relatedTo: RequestId) => void;

export class SessionQuestions {
  readonly #send: Send;
  readonly #clientCapabilities: JsonObject;
  readonly #open = new Map<RequestId, (response: JsonRpcResponse) => void>();
  #last = 0;

  constructor(clientCapabilities: JsonObject, send: Send) {
    this.#clientCapabilities = clientCapabilities;
    this.#send = send;
  }

  /**
   * Asks all questions at once on behalf of a request, and gives up when that ends.
   * @throws Failure `unsupported` when the client has not declared the capability, `unavailable` when it refuses
   */
  async ask<K extends string>(
    questions: Record<K, AskRequest>,
    relatedTo: RequestId,
    signal: AbortSignal,
  ): Promise<Record<K, JsonObject>> {
    const missing = missingCapability(Object.values<AskRequest>(questions), this.#clientCapabilities);
    if (missing) throw new Failure('unsupported', `The client cannot be asked: it has not declared "${missing}".`);
    const asked = Object.entries<AskRequest>(questions).map(async ([key, question]) => [
      key,
      await this.#question(question, relatedTo, signal),
    ]);
    return Object.fromEntries(await Promise.all(asked));
  }

  /** Hands the client's answer to the question it belongs to. */
  answered(message: JsonRpcResponse): void {
    if (message.id === null) return;
    const settle = this.#open.get(message.id);
    this.#open.delete(message.id);
    settle?.(message);
  }

  #question(question: AskRequest, relatedTo: RequestId, signal: AbortSignal): Promise<JsonObject> {
    const id = `${QUESTION}${++this.#last}`;
    return new Promise((resolve, reject) => {
      const giveUp = () => {
        this.#open.delete(id);
        const params = { requestId: id, reason: 'The call that asked has ended.' };
        this.#send({ jsonrpc: '2.0', method: 'notifications/cancelled', params }, relatedTo);
        reject(signal.reason);
      };
      if (signal.aborted) return reject(signal.reason);
      signal.addEventListener('abort', giveUp, { once: true });
      this.#open.set(id, (response) => {
        signal.removeEventListener('abort', giveUp);
        if ('error' in response) {
          reject(new Failure('unavailable', `The client refused ${question.method}: ${response.error.message}`));
        } else if (isObject(response.result) && isAnswer(question, response.result)) {
          resolve(response.result);
        } else {
          reject(new Failure('unavailable', `The client's answer to ${question.method} is not one.`));
        }
      });
      const { method, params } = question;
      this.#send({ jsonrpc: '2.0', id, method, ...(params && { params }) }, relatedTo);
    });
  }
}
