/**
 * Questions of a running task to the client behind it. An attempt ends with its questions, and the task waits, without a
 * process of its own, until all are answered; then it is run again and finds the answers. So it waits as long as it takes,
 * over restarts too, and a tool must ask before it changes anything (as in MCP's stateless era).
 */
import { Failure } from '../errors.ts';
import type { TaskRow } from '../state/task-store-schema.ts';
import type { AskPort, AskRequest, JsonObject } from '../tools/tool.ts';
import type { PassThrough } from './orchestrator.ts';

/** Ends an attempt: these questions come first. */
export class TaskAsks extends Error implements PassThrough {
  override readonly name = 'TaskAsks';
  readonly passThrough = true;
  readonly questions: Readonly<Record<string, AskRequest>>;
  readonly state: unknown;

  constructor(questions: Readonly<Record<string, AskRequest>>, state: unknown) {
    super('The client has to answer first.');
    this.questions = questions;
    this.state = state;
  }
}

const CAPABILITY_OF = {
  'elicitation/create': 'elicitation',
  'sampling/createMessage': 'sampling',
  'roots/list': 'roots',
} as const satisfies Record<AskRequest['method'], keyof AskPort['can']>;

export function askPortOf({ capabilities, answers, ask_state, title }: TaskRow): AskPort {
  const declared = capabilities === null ? {} : (JSON.parse(capabilities) as JsonObject);
  const given = answers === null ? {} : (JSON.parse(answers) as Record<string, JsonObject>);
  const has = (capability: string) => typeof declared[capability] === 'object' && declared[capability] !== null;
  const can = { elicitation: has('elicitation'), sampling: has('sampling'), roots: has('roots') };
  return {
    can,
    state: ask_state === null ? undefined : (JSON.parse(ask_state) as unknown),
    async request<K extends string>(questions: Record<K, AskRequest>, options: { readonly state?: unknown } = {}) {
      const open = Object.entries<AskRequest>(questions).filter(([key]) => !Object.hasOwn(given, key));
      if (open.length > 0) {
        if (!open.every(([, { method }]) => can[CAPABILITY_OF[method]])) {
          throw new Failure('unsupported', `The task "${title}" has a question, and there is nobody to ask.`, {
            hint: 'Run its tool from an MCP client that answers questions.',
          });
        }
        throw new TaskAsks(Object.fromEntries(open), options.state);
      }
      return Object.fromEntries(Object.keys(questions).map((key) => [key, given[key]])) as Record<K, JsonObject>;
    },
  };
}
