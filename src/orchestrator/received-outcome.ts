/** How outcomes come from an agent: as the JSON that goes out on the wire, which the server's thread never parses. */
import type { ContentBlock } from '@modelcontextprotocol/sdk/types.js';
import type { JsonObject } from '../tools/tool.ts';
import type { ToolOutcome } from './orchestrator.ts';

/** The result of `tools/call` in the wire's words (MCP tools). */
export function toolResult({ content, structuredContent, isError, meta }: ToolOutcome): JsonObject {
  return {
    content,
    ...(structuredContent && { structuredContent }),
    ...(isError && { isError }),
    ...(meta && { _meta: meta }),
  };
}

/** The properties of the result's JSON, without the braces around them. */
export function propertiesOf(outcome: ToolOutcome): string {
  return JSON.stringify(toolResult(outcome)).slice(1, -1);
}

/** An outcome of which only the JSON is there; parsed when somebody looks into it. */
export class ReceivedOutcome implements ToolOutcome {
  /** JSON without the braces around it. */
  readonly properties: string;
  readonly isError: boolean;
  readonly hasMeta: boolean;
  #result: JsonObject | undefined;

  constructor(properties: string, isError: boolean, hasMeta: boolean) {
    this.properties = properties;
    this.isError = isError;
    this.hasMeta = hasMeta;
  }

  get content(): readonly ContentBlock[] {
    return this.#parsed().content as readonly ContentBlock[];
  }

  get structuredContent(): JsonObject | undefined {
    return this.#parsed().structuredContent as JsonObject | undefined;
  }

  get meta(): JsonObject | undefined {
    return this.#parsed()._meta as JsonObject | undefined;
  }

  #parsed(): JsonObject {
    this.#result ??= JSON.parse(`{${this.properties}}`) as JsonObject;
    return this.#result;
  }
}
