/** The server under test: the built binary when there is one, the source otherwise. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');
const BINARY = join(ROOT, 'dist', 'mcp-python');

export const TOOLS_PLUGIN = join(import.meta.dirname, 'peers', 'tools-plugin.ts');

export interface Subject extends AsyncDisposable {
  readonly kind: 'binary' | 'source';
  readonly command: string;
  /** Arguments before ours. */
  readonly prefix: readonly string[];
  /** Working directory and home of everything that is started: empty, and gone afterwards. */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
}

export async function findSubject(): Promise<Subject> {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-python-bench-'));
  const built = existsSync(BINARY);
  return {
    kind: built ? 'binary' : 'source',
    command: built ? BINARY : process.execPath,
    prefix: built ? [] : [join(ROOT, 'bin', 'mcp-python.ts')],
    folder,
    environment: { PATH: process.env.PATH ?? '', HOME: folder, XDG_STATE_HOME: join(folder, 'state') },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
