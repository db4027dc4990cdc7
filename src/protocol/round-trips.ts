/** Questions to the client in the stateless era: an attempt ends with them, the next one brings the answers. */
import type { PassThrough } from '../orchestrator/orchestrator.ts';
import type { AskPort, AskRequest, JsonObject } from '../tools/tool.ts';
import { declaredCapabilities, isAnswer, missingCapability } from './client-questions.ts';
import { ERROR_CODES, isObject, ProtocolError } from './jsonrpc.ts';
import type { RoundState } from './request-state.ts';

/** Ends an attempt: these questions must be answered first. */
export class InputRequired extends Error implements PassThrough {
  override readonly name = 'InputRequired';
  readonly passThrough = true;
  readonly questions: Readonly<Record<string, AskRequest>>;
  readonly round: RoundState;

  constructor(questions: Readonly<Record<string, AskRequest>>, round: RoundState) {
    super('The client has to answer first.');
    this.questions = questions;
    this.round = round;
  }
}

/**
 * @param earlier what earlier rounds left, `{ answers: {} }` in the first one
 * @param responses `params.inputResponses`; what nobody asked for is ignored
 */
export function createRoundTripAskPort(clientCapabilities: JsonObject, earlier: RoundState, responses: JsonObject): AskPort {
  /** Everything answered so far: a later question of the same attempt must not forget the earlier ones. */
  const answers: Record<string, JsonObject> = { ...earlier.answers };
  return {
    can: declaredCapabilities(clientCapabilities),
    state: earlier.state,
    async request<K extends string>(questions: Record<K, AskRequest>, options: { readonly state?: unknown } = {}) {
      const open: Record<string, AskRequest> = {};
      for (const [key, question] of Object.entries<AskRequest>(questions)) {
        const answer = Object.hasOwn(responses, key) ? responses[key] : answers[key];
        if (isAnswer(question, answer)) answers[key] = answer;
        else open[key] = question;
      }
      if (Object.keys(open).length === 0) {
        return Object.fromEntries(Object.keys(questions).map((key) => [key, answers[key]])) as Record<K, JsonObject>;
      }
      const missing = missingCapability(Object.values(open), clientCapabilities);
      if (missing) throw missingCapabilityError(missing);
      throw new InputRequired(open, { answers, ...(options.state !== undefined && { state: options.state }) });
    },
  };
}

/** -32021 (MCP 2026-07-28, `MissingRequiredClientCapabilityError`). */
function missingCapabilityError(capability: string): ProtocolError {
  return new ProtocolError(ERROR_CODES.missingClientCapability, `This call needs the client capability "${capability}".`, {
    requiredCapabilities: { [capability]: {} },
  });
}

/** `params.inputResponses`, empty when absent or not an object. */
export function inputResponsesOf(params: JsonObject): JsonObject {
  return isObject(params.inputResponses) ? params.inputResponses : {};
}
