/** Asks the person behind a client for leave (MCP elicitation, form mode). */
import type { PersonAnswer, PersonQuestion } from '../guard/guarded-call.ts';
import type { AskPort } from '../tools/tool.ts';

/** @param inSession whether there is a session that the leave could last for */
export async function askPerson(ask: AskPort, { key, message }: PersonQuestion, inSession: boolean): Promise<PersonAnswer> {
  const choices = inSession ? ['once', 'session', 'no'] : ['once', 'no'];
  const names = inSession ? ['Yes, this once', 'Yes, for this session', 'No'] : ['Yes, this once', 'No'];
  const { [key]: answer } = await ask.request({
    [key]: {
      method: 'elicitation/create',
      params: {
        message,
        requestedSchema: {
          type: 'object',
          properties: { decision: { type: 'string', title: 'Decision', enum: choices, enumNames: names } },
          required: ['decision'],
        },
      },
    },
  });
  if (answer?.action !== 'accept') return 'declined';
  const decision = (answer.content as Record<string, unknown> | undefined)?.decision;
  if (decision === 'once') return 'once';
  return decision === 'session' && inSession ? 'session' : 'declined';
}
