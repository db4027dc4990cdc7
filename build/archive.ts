/** An archive to hand out: the executable, manual pages, completions and documents, laid out as below an installation's prefix. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import manifest from '../package.json' with { type: 'json' };
import { DIST, outputOf, ROOT, type Target } from './places.ts';

const run = promisify(execFile);

/** Where each shell looks for completions below a prefix; install.sh has the same table. */
const COMPLETIONS = {
  bash: join('share', 'bash-completion', 'completions', 'mcp-python'),
  zsh: join('share', 'zsh', 'site-functions', '_mcp-python'),
  fish: join('share', 'fish', 'vendor_completions.d', 'mcp-python.fish'),
};

/** Makes dist/mcp-python-<version>-<target>.tar.gz and its .sha256 beside it; the same files give the same bytes. */
export async function makeArchive(target: Target): Promise<void> {
  const name = `mcp-python-${manifest.version}-${target}`;
  const folder = await mkdtemp(join(tmpdir(), 'mcp-python-archive-'));
  const archive = join(DIST, `${name}.tar.gz`);
  try {
    await layOut(target, join(folder, name));
    const unfinished = `${archive}.${process.pid}`;
    await pack(folder, name, unfinished);
    await rename(unfinished, archive);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const digest = createHash('sha256')
    .update(await readFile(archive))
    .digest('hex');
  await writeFile(`${archive}.sha256`, `${digest}  ${basename(archive)}\n`);
  process.stderr.write(`${archive}: sha256 ${digest}\n`);
}

async function layOut(target: Target, folder: string): Promise<void> {
  const put = async (from: string, ...to: string[]) => {
    await mkdir(join(folder, ...to.slice(0, -1)), { recursive: true });
    await copyFile(from, join(folder, ...to));
  };
  await put(outputOf(target), 'bin', 'mcp-python');
  for (const page of await readdir(join(ROOT, 'man'))) {
    const section = /\.([1-8])$/.exec(page)?.[1];
    if (section) await put(join(ROOT, 'man', page), 'share', 'man', `man${section}`, page);
  }
  for (const document of ['README.md', 'LICENSE', join('dist', 'THIRD-PARTY-LICENSES')])
    await put(join(ROOT, document), 'share', 'doc', 'mcp-python', basename(document));
  for (const [shell, path] of Object.entries(COMPLETIONS)) {
    // From the source: the executable may be for another machine.
    const { stdout } = await run(process.execPath, [join(ROOT, 'bin', 'mcp-python.ts'), 'completion', shell]);
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), stdout);
  }
}

async function pack(folder: string, name: string, archive: string): Promise<void> {
  const reproducible =
    process.platform === 'linux' ? ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner'] : [];
  const tar = `${archive}.tar`;
  await run('tar', ['-C', folder, ...reproducible, '-cf', tar, name]);
  await run('sh', ['-c', 'gzip -n -6 < "$1" > "$2"; rm "$1"', 'sh', tar, archive]);
}
