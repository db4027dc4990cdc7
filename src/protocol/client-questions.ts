import type { AskPort, AskRequest, JsonObject } from '../tools/tool.ts';
import { isObject } from './jsonrpc.ts';

const CAPABILITY_OF = {
  'elicitation/create': 'elicitation',
  'sampling/createMessage': 'sampling',
  'roots/list': 'roots',
} as const;

/** What a client can be asked, from the capabilities it declared. */
export function declaredCapabilities(capabilities: JsonObject): AskPort['can'] {
  return {
    elicitation: isObject(capabilities.elicitation),
    sampling: isObject(capabilities.sampling),
    roots: isObject(capabilities.roots),
  };
}

/** The first capability that the questions need and the client has not declared. */
export function missingCapability(questions: readonly AskRequest[], capabilities: JsonObject): string | undefined {
  const can = declaredCapabilities(capabilities);
  return questions.map(({ method }) => CAPABILITY_OF[method]).find((capability) => !can[capability]);
}

/** Whether a client's result has the shape that answers the question (`ElicitResult`, `CreateMessageResult`, `ListRootsResult`). */
export function isAnswer(question: AskRequest, result: unknown): result is JsonObject {
  if (!isObject(result)) return false;
  switch (question.method) {
    case 'elicitation/create':
      return (
        (result.action === 'accept' || result.action === 'decline' || result.action === 'cancel') &&
        (result.content === undefined || isObject(result.content))
      );
    case 'sampling/createMessage':
      return typeof result.role === 'string' && typeof result.content === 'object' && result.content !== null;
    case 'roots/list':
      return Array.isArray(result.roots);
  }
}
