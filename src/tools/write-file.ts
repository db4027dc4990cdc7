import { z } from 'zod';
import { Failure } from '../errors.ts';
import type { GuardedFiles } from '../guard/guarded-files.ts';
import { holdsMarker } from '../redaction/markers.ts';
import { backendArgument } from './backend-argument.ts';
import { refuseNewMarkers } from './masked-text.ts';
import { defineTool } from './tool.ts';

/** Bytes of the old content that are looked through for what the new one holds. */
const MAX_COMPARED_BYTES = 16 * 1024 * 1024;

const input = z.strictObject({
  file_path: z.string().min(1).describe('File to write; relative paths start at the workspace.'),
  content: z.string().describe('All of the new content.'),
  create_dirs: z.boolean().default(true).describe('Make missing parent folders.'),
  encoding: z.enum(['utf-8', 'base64']).default('utf-8').describe('How content is written; base64 for binary files.'),
  backend: backendArgument,
});

const output = z.strictObject({
  path: z.string(),
  bytes_written: z.int(),
  created: z.boolean().describe('False when a file was replaced.'),
});

export const writeFile = defineTool<z.infer<typeof input>, z.infer<typeof output>>({
  name: 'write_file',
  title: 'Write file',
  description:
    'Create a file, or replace one completely, in one step: other programs see the old content or the new. ' +
    'To change a part of a file use edit_file, which needs less text and cannot lose the rest.',
  toolset: 'files',
  scope: 'tools:execute',
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  input,
  output,
  async execute({ file_path, content, create_dirs, encoding, backend: name }, context) {
    const data = encoding === 'base64' ? decodeBase64(content) : Buffer.from(content, 'utf8');
    const backend = await context.backend(name);
    const path = backend.absolute(file_path);
    const created = !(await exists(backend.files, path));
    // Bytes in base64 are meant as they are.
    if (encoding === 'utf-8' && holdsMarker(content)) {
      refuseNewMarkers(path, created ? '' : await contentOf(backend.files, path), content);
    }
    context.signal.throwIfAborted();
    const info = await backend.files.write(path, data, { createParents: create_dirs });
    return { path: info.path, bytes_written: data.length, created };
  },
  present({ path, bytes_written, created }) {
    return `${created ? 'Created' : 'Replaced'} ${path} (${bytes_written} bytes).`;
  },
});

async function exists(files: GuardedFiles, path: string): Promise<boolean> {
  try {
    await files.stat(path);
    return true;
  } catch (thrown) {
    if (thrown instanceof Failure && thrown.code === 'not_found') return false;
    throw thrown;
  }
}

/** The beginning of the file: masks further behind are not looked for. */
async function contentOf(files: GuardedFiles, path: string): Promise<string> {
  await using file = await files.open(path);
  const chunks: Uint8Array[] = [];
  for (let length = 0; length < MAX_COMPARED_BYTES; ) {
    const chunk = await file.read(length, 1024 * 1024);
    if (chunk.length === 0) break;
    chunks.push(chunk);
    length += chunk.length;
  }
  return Buffer.concat(chunks).toString('utf8');
}

function decodeBase64(content: string): Buffer {
  const compact = content.replace(/\s+/g, '');
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(compact) || compact.replace(/=+$/, '').length % 4 === 1) {
    throw new Failure('invalid_input', 'The content is not base64.', {
      hint: 'Use encoding=utf-8 for text, or encode the bytes with the standard base64 alphabet (RFC 4648, section 4).',
    });
  }
  return Buffer.from(compact, 'base64');
}
