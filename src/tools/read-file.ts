import { z } from 'zod';
import type { OpenFile } from '../backends/backend.ts';
import { Failure } from '../errors.ts';
import { safeText } from '../guard/text.ts';
import { holdsMarker } from '../redaction/markers.ts';
import { backendArgument } from './backend-argument.ts';
import { type LineRange, readLineRange } from './line-ranges.ts';
import { defineTool } from './tool.ts';

const DEFAULT_LINES = 2000;
/** Bytes of text in one answer. */
const MAX_TEXT_BYTES = 256 * 1024;
/** Bytes in one base64 answer: about 256 KiB of text as well. */
const MAX_RAW_BYTES = 192 * 1024;

const input = z.strictObject({
  file_path: z.string().min(1).describe('File to read; relative paths start at the workspace.'),
  encoding: z
    .enum(['utf-8', 'latin1', 'utf-16le', 'base64'])
    .default('utf-8')
    .describe('base64 reads any bytes; offset and limit then count bytes.'),
  offset: z.int().optional().describe('First line, from 1; negative: that many lines from the end. base64: byte, from 0.'),
  limit: z.int().min(1).optional().describe(`Lines at most, ${DEFAULT_LINES} if absent.`),
  backend: backendArgument,
});

const output = z.strictObject({
  path: z.string(),
  content: z.string(),
  encoding: z.string(),
  first_line: z.int().optional(),
  last_line: z.int().optional(),
  offset: z.int().optional().describe('base64: first byte.'),
  bytes: z.int().describe('Bytes of the file in content.'),
  total_bytes: z.int(),
  total_lines: z.int().optional(),
  modified: z.string(),
  truncated: z.boolean().describe('More follows.'),
  next_offset: z.int().optional().describe('Offset to go on with.'),
  note: z.string().optional(),
});

type Input = z.infer<typeof input>;
type Output = z.infer<typeof output>;

export const readFile = defineTool<Input, Output>({
  name: 'read_file',
  title: 'Read file',
  description:
    'Read a file, or a range of its lines, without cat, head, tail or sed. Long files come in parts: go on with next_offset. ' +
    'Files of any size are fine; a negative offset reads the end of a log. To find where something is, use search_files first.',
  toolset: 'files',
  scope: 'tools:read',
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input,
  output,
  async execute({ file_path, encoding, offset, limit, backend: name }, context) {
    const backend = await context.backend(name);
    const path = backend.absolute(file_path);
    await using file = await backend.files.open(path);
    const modified = new Date(file.info.modifiedMs).toISOString();
    const range = { offset, limit };
    const read =
      encoding === 'base64' ? await readBytes(file, range) : await readText(file, path, encoding, range, context.signal);
    return { path, encoding, modified, ...read };
  },
  present({ content, encoding, first_line, last_line, total_lines, total_bytes, offset, bytes, truncated, next_offset, note }) {
    const whole = !truncated && (first_line ?? 1) === 1 && (offset ?? 0) === 0;
    if (total_bytes === 0 && content === '') return '[The file is empty.]';
    const parts: string[] = [];
    if (encoding === 'base64') {
      parts.push(`bytes ${offset} to ${(offset ?? 0) + bytes} of ${total_bytes}`);
    } else if (!whole) {
      const lines = first_line === undefined ? 'the last lines' : `lines ${first_line} to ${last_line}`;
      if (bytes > 0) parts.push(`${lines} of ${total_lines ?? `a file of ${total_bytes} bytes`}`);
    }
    if (note) parts.push(note);
    if (encoding !== 'base64') parts.push(...warningsOn(content));
    if (next_offset !== undefined) parts.push(`go on with offset=${next_offset}`);
    if (parts.length === 0) return content;
    return `${content}${content === '' || content.endsWith('\n') ? '' : '\n'}[${parts.join('; ')}]`;
  },
});

/** What the text does not show as the file has it, so that nobody takes it for the file. */
function warningsOn(content: string): readonly string[] {
  return [
    ...(safeText(content) === content.replace(/\r\n?/g, '\n') ? [] : ['control characters and invisible ones are left out']),
    ...(holdsMarker(content) ? ['secrets are masked; edit_file keeps them where old_text and new_text have the mask'] : []),
  ];
}

type Range = Pick<Input, 'offset' | 'limit'>;
type Part = Omit<Output, 'path' | 'encoding' | 'modified'>;

async function readBytes(file: OpenFile, { offset = 0, limit = MAX_RAW_BYTES }: Range): Promise<Part> {
  const total = file.info.size;
  const start = offset < 0 ? Math.max(0, total + offset) : offset;
  const bytes = await file.read(start, Math.min(limit, MAX_RAW_BYTES));
  const end = start + bytes.length;
  const truncated = end < total;
  return {
    content: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64'),
    offset: start,
    bytes: bytes.length,
    total_bytes: Math.max(total, bytes.length > 0 ? end : 0),
    truncated,
    ...(truncated ? { next_offset: end } : {}),
    ...(start > total ? { note: `the file ends at byte ${total}` } : {}),
  };
}

async function readText(
  file: OpenFile,
  path: string,
  encoding: 'utf-8' | 'latin1' | 'utf-16le',
  { offset = 1, limit = DEFAULT_LINES }: Range,
  signal: AbortSignal,
): Promise<Part> {
  const source = { size: file.info.size, read: (position: number, length: number) => file.read(position, length) };
  const unit = encoding === 'utf-16le' ? 2 : 1;
  const wanted = offset === 0 ? 1 : offset;
  const range = await readLineRange(source, { offset: wanted, limit, maxBytes: MAX_TEXT_BYTES, unit }, signal);
  if (unit === 1 && range.bytes.includes(0)) throw await notText(file, path);
  const text = range.bytes.toString(encoding === 'utf-16le' ? 'utf16le' : encoding === 'latin1' ? 'latin1' : 'utf8');
  const content = range.start === 0 ? text.replace(/^\uFEFF/, '') : text;
  const truncated = !range.atEnd;
  const note = noteOn(range, wanted, content, encoding);
  return {
    content,
    ...(range.firstLine === undefined || range.lineCount === 0
      ? {}
      : { first_line: range.firstLine, last_line: range.firstLine + range.lineCount - 1 }),
    bytes: range.bytes.length,
    total_bytes: Math.max(file.info.size, range.start + range.bytes.length),
    ...(range.totalLines === undefined ? {} : { total_lines: range.totalLines }),
    truncated,
    ...(truncated ? { next_offset: nextOffset(range, wanted) } : {}),
    ...(note === undefined ? {} : { note }),
  };
}

function nextOffset(range: LineRange, wanted: number): number {
  if (range.firstLine !== undefined) return range.firstLine + range.lineCount;
  return (range.fromEnd === undefined ? wanted : -range.fromEnd) + range.lineCount;
}

function noteOn(range: LineRange, wanted: number, content: string, encoding: string): string | undefined {
  if (range.cutBefore === 'hole') return 'before this the file has a hole, which is left out';
  if (range.cutBefore === 'reach') {
    return 'earlier lines are too far from the end; find them with search_files, or read bytes with encoding=base64';
  }
  if (range.lineCut) {
    const rest = range.start + range.bytes.length;
    return `this line is longer than ${MAX_TEXT_BYTES} bytes; the rest of it is read with encoding=base64 offset=${rest}`;
  }
  if (range.lineCount === 0 && wanted > 1) return `the file has ${range.totalLines} lines`;
  if (encoding === 'utf-8' && content.includes('\uFFFD') && !isUtf8(range.bytes)) {
    return 'bytes that are not UTF-8 are shown as \uFFFD; another encoding may fit';
  }
  return undefined;
}

function isUtf8(bytes: Buffer): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

async function notText(file: OpenFile, path: string): Promise<Failure> {
  const [first, second] = await file.read(0, 2);
  return new Failure('invalid_input', `${path} is not text there: it has NUL bytes.`, {
    hint:
      first === 0xff && second === 0xfe
        ? 'It looks like UTF-16: read it with encoding=utf-16le.'
        : 'Read it with encoding=base64.',
  });
}
