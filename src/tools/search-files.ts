import { posix } from 'node:path';
import { z } from 'zod';
import { backendArgument } from './backend-argument.ts';
import { inOneLine } from './shown-names.ts';
import { defineTool } from './tool.ts';

const DEFAULT_LIMIT = 200;
const MAX_LIMIT = 5000;
/** Characters of paths and lines in one answer. */
const MAX_CHARACTERS = 256 * 1024;

const input = z.strictObject({
  pattern: z
    .string()
    .min(1)
    .describe('Glob for whole file names, such as *.ts or *config*; with a slash for paths, such as src/**/*.ts. * for all.'),
  directory: z.string().min(1).default('.').describe('Folder to search below; relative paths start at the workspace.'),
  content: z.string().min(1).optional().describe('Regular expression for lines inside the files.'),
  file_type: z.string().optional().describe('Only these name extensions: ts, or ts,tsx.'),
  case_sensitive: z.boolean().default(true).describe('For names and content.'),
  show_hidden: z.boolean().default(false).describe('Include names that start with a dot.'),
  include_ignored: z.boolean().default(false).describe('Include what .gitignore and .ignore leave out.'),
  limit: z.int().min(1).max(MAX_LIMIT).default(DEFAULT_LIMIT).describe('Matches at most.'),
  backend: backendArgument,
});

const output = z.strictObject({
  directory: z.string(),
  matches: z.array(
    z.strictObject({
      path: z.string(),
      line: z.int().optional(),
      text: z.string().optional(),
    }),
  ),
  truncated: z.boolean(),
});

export const searchFiles = defineTool<z.infer<typeof input>, z.infer<typeof output>>({
  name: 'search_files',
  title: 'Search files',
  description:
    'Find files below a folder by name, or the lines in them that match a regular expression (as path:line:text). ' +
    'Use it instead of find, grep or rg in execute_command. Leaves out hidden, git-ignored and binary files.',
  toolset: 'files',
  scope: 'tools:read',
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input,
  output,
  async execute(request, context) {
    const backend = await context.backend(request.backend);
    const directory = backend.absolute(request.directory);
    const extensions = request.file_type?.split(/[\s,]+/).filter((extension) => extension !== '');
    const found = await backend.files.search(
      {
        directory,
        glob: belowDirectory(request.pattern, directory),
        ...(request.content === undefined ? {} : { content: request.content }),
        ...(extensions && extensions.length > 0 ? { extensions } : {}),
        caseSensitive: request.case_sensitive,
        hidden: request.show_hidden,
        respectIgnores: !request.include_ignored,
        limit: request.limit,
      },
      context.signal,
    );
    let characters = 0;
    const matches: z.infer<typeof output>['matches'] = [];
    for (const { path, line, text } of found.matches) {
      characters += path.length + (text?.length ?? 0);
      if (characters > MAX_CHARACTERS) return { directory, matches, truncated: true };
      matches.push({
        // As the folder was given, so that the path can be handed to the next tool.
        path: posix.join(request.directory, path),
        ...(line === undefined ? {} : { line }),
        ...(text === undefined ? {} : { text }),
      });
    }
    return { directory, matches, truncated: found.truncated };
  },
  present({ directory, matches, truncated }) {
    if (matches.length === 0) {
      return `Nothing matches below ${inOneLine(directory)}. The pattern is a glob for whole names: *word* finds names with word in them.`;
    }
    const lines = matches.map(({ path, line, text }) => {
      const name = inOneLine(path);
      return line === undefined ? name : `${name}:${line}:${withoutControls(text ?? '')}`;
    });
    if (truncated) lines.push(`[Only the first ${matches.length} matches; narrow the search, or raise limit.]`);
    return lines.join('\n');
  },
});

/** A glob may name the searched folder itself, as an absolute path. */
function belowDirectory(pattern: string, directory: string): string {
  const prefix = directory.endsWith('/') ? directory : `${directory}/`;
  return pattern.startsWith(prefix) && pattern.length > prefix.length ? `/${pattern.slice(prefix.length)}` : pattern;
}

/** Control characters but the tab: a found line must not move the cursor of the terminal it is shown in. */
function withoutControls(text: string): string {
  return text.replace(/(?!\t)\p{Cc}/gu, '\uFFFD');
}
