/** The Node for a target: npm installs the one for this machine, and hands out the others as archives. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CACHE, HOST, ROOT, type Target } from './places.ts';

const run = promisify(execFile);

/**
 * @returns path of a Node executable of exactly the version that runs this
 * @throws Error when npm cannot fetch it, or it is not what the lockfile says
 */
export async function nodeFor(target: Target): Promise<string> {
  if (target === HOST) return process.execPath;
  const name = `node-${target}`;
  const folder = join(CACHE, `${name}-${process.versions.node}`);
  const node = join(folder, 'package', 'bin', 'node');
  if (existsSync(node)) return node;
  await mkdir(CACHE, { recursive: true });
  const unfinished = await mkdtemp(join(CACHE, 'download-'));
  try {
    const archive = await download(`${name}@${process.versions.node}`, unfinished);
    await checkIntegrity(name, archive);
    await run('tar', ['-xzf', archive, '-C', unfinished, 'package/bin/node']);
    await rm(archive);
    await rename(unfinished, folder);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return node;
}

async function download(specifier: string, folder: string): Promise<string> {
  // npm chooses by `cpu` when it installs; `npm pack` only fetches.
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder, specifier], { cwd: folder });
  const [packed] = JSON.parse(stdout) as { filename: string }[];
  if (!packed) throw new Error(`npm has no ${specifier}.`);
  return join(folder, packed.filename);
}

async function checkIntegrity(name: string, archive: string): Promise<void> {
  const lockfile = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8'));
  const locked = lockfile.packages[`node_modules/${name}`];
  if (locked?.version !== process.versions.node)
    throw new Error(`package-lock.json has no ${name} ${process.versions.node}: its archive cannot be checked.`);
  const found = `sha512-${createHash('sha512')
    .update(await readFile(archive))
    .digest('base64')}`;
  if (found !== locked.integrity)
    throw new Error(`${name} is not what package-lock.json says: ${found} instead of ${locked.integrity}.`);
}
