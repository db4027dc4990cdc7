import type { PromptMessage } from '@modelcontextprotocol/sdk/types.js';
import type { AskPort } from '../tools/tool.ts';

export interface PromptArgument {
  readonly name: string;
  readonly description: string;
  readonly required: boolean;
  /** Values that start with what was typed. */
  complete?(value: string, others: Readonly<Record<string, string>>): Promise<readonly string[]>;
}

/** A prompt a person can pick in the client (MCP `prompts`). */
export interface Prompt {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly arguments: readonly PromptArgument[];
  render(
    values: Readonly<Record<string, string>>,
    context: { readonly ask: AskPort; readonly signal: AbortSignal },
  ): Promise<readonly PromptMessage[]>;
}
