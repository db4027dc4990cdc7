/** What becomes of a task when its call is over: its state, why, and the result that is kept. */
import type { ContentBlock } from '@modelcontextprotocol/sdk/types.js';
import type { JsonObject } from '../tools/tool.ts';

/** Characters of JSON that are kept of one result. */
const MAX_RESULT = 4 * 1024 * 1024;
/** Characters of a note. */
const MAX_NOTE = 500;

export interface Verdict {
  readonly state: 'completed' | 'failed';
  readonly note?: string;
  /** Failure code, or `exit_status` for a command that counts as failed because of it. */
  readonly code?: string;
  /** Seconds after which the call is worth another try: it was refused before it began. */
  readonly againAfterSeconds?: number;
}

/** @param strict whether a command's exit status other than 0 is a failure */
export function judge(result: JsonObject, strict: boolean): Verdict {
  if (result.isError === true) {
    const failure = (result._meta as JsonObject | undefined)?.['mcp-python/failure'] as
      | { readonly code?: string; readonly message?: string; readonly details?: { readonly retry_after_seconds?: unknown } }
      | undefined;
    const again = failure?.code === 'unavailable' ? failure.details?.retry_after_seconds : undefined;
    return {
      state: 'failed',
      code: failure?.code ?? 'tool_error',
      note: shortNote(failure?.message ?? firstText(result) ?? 'The tool said that it failed.'),
      ...(typeof again === 'number' && { againAfterSeconds: again }),
    };
  }
  const status = strict ? (result.structuredContent as JsonObject | undefined) : undefined;
  if (status && 'exit_code' in status && status.exit_code !== 0) {
    const how = typeof status.signal === 'string' ? `was ended by ${status.signal}` : `ended with exit code ${status.exit_code}`;
    return { state: 'failed', code: 'exit_status', note: shortNote(`The command ${how}.${lastLine(status)}`) };
  }
  return { state: 'completed' };
}

/** Notes are lines in lists. */
export function shortNote(text: string): string {
  return text.length <= MAX_NOTE ? text : `${text.slice(0, MAX_NOTE - 3)}...`;
}

/** The result as JSON, its longest texts shortened where it would be too large to keep. */
export function keptResult(result: JsonObject): { readonly json: string; readonly shortened: boolean } {
  const whole = JSON.stringify(result);
  if (whole.length <= MAX_RESULT) return { json: whole, shortened: false };
  for (let longest = MAX_RESULT / 8; longest > 16; longest /= 4) {
    const json = JSON.stringify(shortened(result, longest));
    if (json.length <= MAX_RESULT) return { json, shortened: true };
  }
  const text = `The result was ${whole.length} characters long, more than is kept.`;
  return { json: JSON.stringify({ content: [{ type: 'text', text }], isError: true }), shortened: true };
}

function shortened(value: unknown, longest: number): unknown {
  if (typeof value === 'string') return value.length <= longest ? value : headAndTail(value, longest);
  if (Array.isArray(value)) return value.map((each) => shortened(each, longest));
  if (typeof value !== 'object' || value === null) return value;
  if (isLongMedia(value as JsonObject, longest)) return { type: 'text', text: '[media that was too large to keep]' };
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, shortened(each, longest)]));
}

/** Half an image is none. */
function isLongMedia({ type, data, resource }: JsonObject, longest: number): boolean {
  const blob = type === 'resource' ? (resource as JsonObject | undefined)?.blob : data;
  return (type === 'image' || type === 'audio' || type === 'resource') && typeof blob === 'string' && blob.length > longest;
}

function headAndTail(text: string, longest: number): string {
  const half = longest / 2;
  return `${text.slice(0, half)}\n[${text.length - longest} characters were not kept]\n${text.slice(-half)}`;
}

function firstText({ content }: JsonObject): string | undefined {
  return (content as readonly ContentBlock[] | undefined)?.find((block) => block.type === 'text')?.text;
}

/** What a failed command said last is most often why. */
function lastLine({ stderr, stdout }: JsonObject): string {
  const text = [stderr, stdout].find((each): each is string => typeof each === 'string' && each.trim() !== '');
  const line = text?.trimEnd().split('\n').at(-1)?.trim();
  return line ? ` It said: ${line}` : '';
}
