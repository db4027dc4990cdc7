/** A client that does not give up while the server comes and goes. */
import { setTimeout as sleep } from 'node:timers/promises';
import { NO_WORD, NoAnswer, type Wire, WrongAnswer } from './wire.ts';

export interface ToolAnswer {
  readonly isError?: boolean;
  readonly content: readonly { readonly text?: string }[];
  // biome-ignore lint/suspicious/noExplicitAny: whatever the tool returns
  readonly structuredContent?: any;
}

export interface ChaosClient {
  /**
   * One attempt. Aborting the signal goes away without waiting, as a person does who has lost patience.
   * @throws NoAnswer where the server is away, or died meanwhile; WrongAnswer
   */
  attempt(tool: string, values: object, signal?: AbortSignal): Promise<ToolAnswer>;
  /** As many attempts as it takes to be answered with anything but that it should be tried again. @throws WrongAnswer */
  insist(tool: string, values: object, signal: AbortSignal): Promise<ToolAnswer>;
}

/** Told of every attempt and how it ended: `answered`, a failure's code, `server died`, `no word`, `left` or `wrong`. */
export type OnAttempt = (tool: string, end: string) => void;

/** A call that did no harm is made again after such ends; an agent that is lost is for the client to decide about. */
const AGAIN: ReadonlySet<string | undefined> = new Set(['unavailable', 'agent_lost']);
const PAUSE_MS = 50;

export function createChaosClient(wire: Wire, onAttempt: OnAttempt): ChaosClient {
  let last = 0;

  async function attempt(tool: string, values: object, signal?: AbortSignal): Promise<ToolAnswer> {
    let end = 'wrong';
    try {
      const { result, error } = await wire.exchange(++last, 'tools/call', { name: tool, arguments: values }, signal);
      const answer: ToolAnswer = result ?? {
        isError: true,
        content: [{ text: `[${error.data?.code ?? error.code}] ${error.message}` }],
      };
      end = codeOf(answer) ?? 'answered';
      return answer;
    } catch (thrown) {
      if (thrown instanceof NoAnswer) end = signal?.aborted ? 'left' : thrown.message === NO_WORD ? 'no word' : 'server died';
      throw thrown;
    } finally {
      onAttempt(tool, end);
    }
  }

  return {
    attempt,
    async insist(tool, values, signal) {
      for (;;) {
        signal.throwIfAborted();
        try {
          const answer = await attempt(tool, values);
          if (!AGAIN.has(codeOf(answer))) return answer;
        } catch (thrown) {
          if (!(thrown instanceof NoAnswer)) throw thrown;
        }
        await sleep(PAUSE_MS);
      }
    },
  };
}

/** @throws WrongAnswer where a success is about something else */
export function expectToken(answer: ToolAnswer, token: string, told: unknown): void {
  if (answer.isError || told === token) return;
  throw new WrongAnswer(`Who asked about ${token} was told of ${JSON.stringify(told)}.`);
}

/** Code of a failure, as its text begins with; undefined for a success. */
export function codeOf({ isError, content }: ToolAnswer): string | undefined {
  if (!isError) return undefined;
  return /^\[([^\]]+)\]/.exec(content[0]?.text ?? '')?.[1] ?? 'failed';
}
