import { z } from 'zod';
import type { OpenFile } from '../backends/backend.ts';
import { Failure } from '../errors.ts';
import { backendArgument } from './backend-argument.ts';
import { applyEdits, toUnix } from './file-edits.ts';
import { refuseNewMarkers, unmaskEdit } from './masked-text.ts';
import { defineTool } from './tool.ts';
import { unifiedDiff } from './unified-diff.ts';

/** Bytes of the largest file that is edited. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

const input = z.strictObject({
  file_path: z.string().min(1).describe('File to change; relative paths start at the workspace.'),
  edits: z
    .array(
      z.strictObject({
        old_text: z.string().describe('Exact text to replace, with enough around it to occur once.'),
        new_text: z.string().describe('What takes its place.'),
        replace_all: z.boolean().optional().describe('Replace every occurrence.'),
      }),
    )
    .min(1)
    .describe('Applied in order, all or none.'),
  dry_run: z.boolean().default(false).describe('Only show the diff.'),
  backend: backendArgument,
});

const output = z.strictObject({
  path: z.string(),
  applied: z.boolean().describe('False for a dry run.'),
  replacements: z.int(),
  lines_added: z.int(),
  lines_removed: z.int(),
  diff: z.string(),
  diff_truncated: z.boolean(),
});

export const editFile = defineTool<z.infer<typeof input>, z.infer<typeof output>>({
  name: 'edit_file',
  title: 'Edit file',
  description:
    'Replace exact pieces of a text file and get the diff. Each old_text must occur exactly once, or nothing is changed. ' +
    'Prefer it to write_file for changes, and to sed in execute_command. Line endings are kept: write \\n in CRLF files too.',
  toolset: 'files',
  scope: 'tools:execute',
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: false },
  input,
  output,
  async execute({ file_path, edits, dry_run, backend: name }, context) {
    const backend = await context.backend(name);
    const path = backend.absolute(file_path);
    const { text, version } = await readWhole(await backend.files.open(path), path, context.signal);
    const edited = applyEdits(
      text,
      edits.map((edit) => unmaskEdit(text, edit)),
    );
    refuseNewMarkers(path, text, edited.text);
    const change = await unifiedDiff(path, toUnix(text), toUnix(edited.text));
    context.signal.throwIfAborted();
    if (!dry_run) {
      await backend.files.write(path, Buffer.from(edited.text, 'utf8'), { createParents: false, ifVersion: version });
    }
    return {
      path,
      applied: !dry_run,
      replacements: edited.replacements,
      lines_added: change.linesAdded,
      lines_removed: change.linesRemoved,
      diff: change.diff,
      diff_truncated: change.truncated,
    };
  },
  present({ applied, replacements, diff, diff_truncated }) {
    const notes = [
      ...(diff_truncated ? ['the diff is longer than shown'] : []),
      ...(applied ? [] : ['dry run: nothing was written']),
      ...(replacements > 1 ? [`${replacements} replacements`] : []),
    ];
    return notes.length === 0 ? diff : `${diff}[${notes.join('; ')}]`;
  },
});

async function readWhole(opened: OpenFile, path: string, signal: AbortSignal): Promise<{ text: string; version: string }> {
  await using file = opened;
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    signal.throwIfAborted();
    // One byte more than allowed tells a file that is too large, or grew, from one that fits.
    const chunk =
      file.info.size > MAX_FILE_BYTES ? undefined : await file.read(length, Math.min(1024 * 1024, MAX_FILE_BYTES + 1 - length));
    length += chunk?.length ?? 0;
    if (!chunk || length > MAX_FILE_BYTES) {
      throw new Failure('too_large', `${path} is larger than ${MAX_FILE_BYTES / 1024 / 1024} MiB and was not changed.`, {
        hint: 'Change it with a program made for large files, such as sed, through execute_command.',
      });
    }
    if (chunk.length === 0) break;
    chunks.push(chunk);
  }
  try {
    // The byte order mark stays part of the text, so that it is written back.
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks));
    return { text, version: file.info.version };
  } catch (cause) {
    throw new Failure('invalid_input', `${path} is not UTF-8 text and was not changed.`, {
      hint: 'Convert it with iconv through execute_command, or replace it with write_file and encoding=base64.',
      cause,
    });
  }
}
