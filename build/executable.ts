/** The executable: a Node with the app inside, by Node's single executable applications. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { CACHE, HOST, type Target } from './places.ts';
import { nodeFor } from './target-node.ts';

const run = promisify(execFile);
const require = createRequire(import.meta.url);

interface Parts {
  readonly target: Target;
  /** Files: the script that starts first, the app that it loads, and the app's bytecode (may be empty). */
  readonly main: string;
  readonly app: string;
  readonly cache: string;
  /** The file to make. */
  readonly output: string;
}

export async function makeExecutable({ target, main, app, cache, output }: Parts): Promise<void> {
  const node = await strippedNode(target);
  const seaConfig = {
    disableExperimentalSEAWarning: true,
    useCodeCache: false,
    useSnapshot: false,
    // Whoever sets the environment must not put code into us, nor break us with a flag.
    execArgvExtension: 'none',
    // The same for whoever may send us a signal: SIGUSR1 would open a debugger port.
    execArgv: ['--disable-sigusr1'],
    assets: { app, cache, ...grammars() },
  };
  if (target === HOST) await bake(node, target, main, seaConfig, output);
  else await bakeForeign(node, main, seaConfig, output);
  await chmod(output, 0o755);
}

/** Bash's grammar and what runs it, by the names that src/guard/shell/grammar.ts asks for. */
function grammars(): Record<string, string> {
  const files = ['web-tree-sitter/web-tree-sitter.wasm', 'tree-sitter-bash/tree-sitter-bash.wasm'];
  return Object.fromEntries(files.map((file) => [basename(file), require.resolve(file)]));
}

async function bake(node: string, target: Target, main: string, seaConfig: object, output: string): Promise<void> {
  const { default: sea } = require('@yao-pkg/pkg/lib-es5/sea.js');
  const { log } = require('@yao-pkg/pkg/lib-es5/log.js');
  log.info = () => {};
  const [platform, arch] = target.split('-');
  const targets = [{ platform: platform === 'darwin' ? 'macos' : platform, arch, nodeRange: 'node24', output }];
  await sea(main, { targets, nodePath: node, seaConfig, signature: true });
}

/** pkg asks the target's Node for its version and lets it make the blob; one that cannot run here needs these two steps apart. */
async function bakeForeign(node: string, main: string, seaConfig: object, output: string): Promise<void> {
  const configFile = `${main}.json`;
  const blobFile = `${main}.blob`;
  await writeFile(configFile, JSON.stringify({ main, output: blobFile, ...seaConfig }));
  await run(process.execPath, ['--experimental-sea-config', configFile]);
  const { inject } = require('postject');
  await copyFile(node, output);
  await inject(output, 'NODE_SEA_BLOB', await readFile(blobFile), {
    sentinelFuse: ['NODE_SEA', 'FUSE_fce680ab2cc467b6e072b8b5df1996b2'].join('_'),
  });
}

/** Without symbols Node is 14 MB smaller; a machine without a `strip` for the target gets it whole. */
async function strippedNode(target: Target): Promise<string> {
  const node = await nodeFor(target);
  const stripped = join(CACHE, `node-${process.version}-${target}`);
  const machine = target.endsWith('arm64') ? 'aarch64' : 'x86_64';
  const strips = [`${machine}-linux-gnu-strip`, 'llvm-strip', ...(target === HOST ? ['strip'] : [])];
  const unfinished = `${stripped}.${process.pid}`;
  if (existsSync(stripped)) return stripped;
  await mkdir(CACHE, { recursive: true });
  for (const strip of target.startsWith('linux') ? strips : []) {
    try {
      await run(strip, ['-o', unfinished, node]);
      await rename(unfinished, stripped);
      return stripped;
    } catch {
      await rm(unfinished, { force: true });
    }
  }
  process.stderr.write(`No strip for ${target} here (binutils): the executable is larger than need be.\n`);
  return node;
}
