/** What is in the bundle, and how much of it a start pays for. */
import type { Metafile } from 'esbuild';

/** What each role loads on its way to the first answer, beside what it imports at once. */
const ROLES: Readonly<Record<string, readonly string[]>> = {
  '--help': ['src/cli/main.ts', 'src/cli/program.ts'],
  stdio: ['src/cli/main.ts', 'src/cli/program.ts', 'src/cli/stdio.ts', 'src/runtime.ts', 'src/transports/stdio.ts'],
  serve: ['src/cli/main.ts', 'src/cli/program.ts', 'src/cli/serve.ts', 'src/runtime.ts', 'src/transports/http.ts'],
  call: ['src/cli/main.ts', 'src/cli/program.ts', 'src/cli/call.ts', 'src/runtime.ts'],
};

/** A table in plain text: packages by size in the bundle, then for each role the packages that it initialises when it starts. */
export function analyze(metafile: Metafile): string {
  const bytesIn = Object.values(metafile.outputs)[0]?.inputs ?? {};
  const table = (title: string, files: Iterable<string>): string => {
    const byOwner = new Map<string, number>();
    for (const file of files) byOwner.set(owner(file), (byOwner.get(owner(file)) ?? 0) + (bytesIn[file]?.bytesInOutput ?? 0));
    const rows = [...byOwner].filter(([, bytes]) => bytes > 0).sort((a, b) => b[1] - a[1]);
    const total = rows.reduce((sum, [, bytes]) => sum + bytes, 0);
    return [`${title}: ${kilobytes(total)}`, ...rows.map(([name, bytes]) => `  ${kilobytes(bytes).padStart(10)}  ${name}`)].join(
      '\n',
    );
  };
  return `${[
    table('in the bundle', Object.keys(bytesIn)),
    ...Object.entries(ROLES).map(([role, entries]) => table(`initialised by ${role}`, eager(metafile, entries))),
  ].join('\n\n')}\n`;
}

/** Everything reached without an `import()` in between. */
function eager(metafile: Metafile, entries: readonly string[]): Set<string> {
  const reached = new Set(entries);
  for (const file of reached)
    for (const { path, kind } of metafile.inputs[file]?.imports ?? []) if (kind !== 'dynamic-import') reached.add(path);
  return reached;
}

function owner(file: string): string {
  return /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? file;
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}
