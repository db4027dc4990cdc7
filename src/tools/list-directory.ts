import { z } from 'zod';
import { backendArgument } from './backend-argument.ts';
import { inOneLine } from './shown-names.ts';
import { defineTool } from './tool.ts';

const DEFAULT_LIMIT = 500;
const MAX_LIMIT = 5000;

const input = z.strictObject({
  directory: z.string().min(1).default('.').describe('Folder to list; relative paths start at the workspace.'),
  show_hidden: z.boolean().default(false).describe('Include names that start with a dot.'),
  limit: z.int().min(1).max(MAX_LIMIT).default(DEFAULT_LIMIT).describe('Entries at most.'),
  backend: backendArgument,
});

const output = z.strictObject({
  path: z.string(),
  entries: z.array(
    z.strictObject({
      name: z.string(),
      kind: z.enum(['file', 'directory', 'symlink', 'other']),
      size: z.int().describe('Bytes.'),
      modified: z.string(),
      link_target: z.string().optional(),
    }),
  ),
  truncated: z.boolean(),
});

export const listDirectory = defineTool<z.infer<typeof input>, z.infer<typeof output>>({
  name: 'list_directory',
  title: 'List directory',
  description:
    'List one folder with kinds, sizes and times, by name. It does not go into folders below: ' +
    'to find files anywhere under a folder use search_files.',
  toolset: 'files',
  scope: 'tools:read',
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input,
  output,
  async execute({ directory, show_hidden, limit, backend: name }, context) {
    const backend = await context.backend(name);
    const path = backend.absolute(directory);
    const { entries, truncated } = await backend.files.list(path, { hidden: show_hidden, limit });
    return {
      path,
      entries: entries.map((entry) => ({
        name: entry.path.slice(entry.path.lastIndexOf('/') + 1),
        kind: entry.kind,
        size: entry.size,
        modified: new Date(entry.modifiedMs).toISOString(),
        ...(entry.linkTarget === undefined ? {} : { link_target: entry.linkTarget }),
      })),
      truncated,
    };
  },
  present({ path, entries, truncated }) {
    const lines = entries.map(({ name, kind, size, modified, link_target }) => {
      const time = `${modified.slice(0, 16).replace('T', ' ')}Z`;
      if (kind === 'directory') return `${time}  ${'-'.padStart(11)}  ${inOneLine(name)}/`;
      const target = link_target === undefined ? '' : ` -> ${inOneLine(link_target)}`;
      return `${time}  ${String(size).padStart(11)}  ${inOneLine(name)}${target}${kind === 'other' ? ' (special)' : ''}`;
    });
    if (lines.length === 0) return `${inOneLine(path)} has no entries to show.`;
    if (truncated) lines.push(`[Only the first ${entries.length} entries; raise limit, or use search_files.]`);
    return lines.join('\n');
  },
});
