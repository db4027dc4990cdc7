/** `npm run build`: from the sources to one executable. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { analyze } from './analyze.ts';
import { makeArchive } from './archive.ts';
import { bundleApp, bundleMain } from './bundle.ts';
import { makeCodeCache } from './code-cache.ts';
import { makeExecutable } from './executable.ts';
import { licencesOf } from './licences.ts';
import { DIST, HOST, outputOf, TARGETS, type Target } from './places.ts';
import { isFresh, markFresh, stampOf } from './stamp.ts';

const USAGE = `Usage: npm run build -- [options]
  --target <name>  ${TARGETS.join(' or ')} (default: ${HOST})
  --archive        also make an archive for install.sh, with its checksum
  --analyze        tell what is in the bundle, and what is loaded at start, instead of building
  --force          build although nothing has changed
`;

async function build(target: Target): Promise<void> {
  const start = performance.now();
  const output = outputOf(target);
  const folder = mkdtempSync(join(tmpdir(), 'mcp-python-build-'));
  try {
    const [app, main] = await Promise.all([bundleApp(), bundleMain()]);
    const files = { main: join(folder, 'main.cjs'), app: join(folder, 'app.cjs'), cache: join(folder, 'app.cache') };
    writeFileSync(files.main, main.code);
    writeFileSync(files.app, app.code);
    // The cache holds bytecode, which only the Node that made it takes: none for a foreign machine.
    if (target === HOST) await makeCodeCache(files.app, files.cache, folder);
    else writeFileSync(files.cache, '');
    mkdirSync(DIST, { recursive: true });
    // Under another name until it is whole: an older one may be running, and an interrupted build leaves nothing half.
    const unfinished = `${output}.${process.pid}`;
    try {
      await makeExecutable({ target, ...files, output: unfinished });
      renameSync(unfinished, output);
    } finally {
      rmSync(unfinished, { force: true });
    }
    writeFileSync(join(DIST, 'THIRD-PARTY-LICENSES'), licencesOf(app.metafile));
    const sizes = { executable: statSync(output).size, app: app.code.byteLength, cache: statSync(files.cache).size };
    const told = Object.entries(sizes).map(([what, bytes]) => `${what} ${(bytes / 1e6).toFixed(1)} MB`);
    process.stderr.write(`${output}: ${told.join(', ')}, in ${((performance.now() - start) / 1000).toFixed(1)} s\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const { values } = (() => {
  try {
    return parseArgs({
      options: {
        target: { type: 'string', default: HOST },
        archive: { type: 'boolean', default: false },
        analyze: { type: 'boolean', default: false },
        force: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n${USAGE}`);
    process.exit(2);
  }
})();
const target = TARGETS.find((known) => known === values.target);
if (values.help) process.stdout.write(USAGE);
else if (!target) {
  process.stderr.write(`Unknown target ${values.target}.\n${USAGE}`);
  process.exitCode = 2;
} else if (values.analyze) process.stdout.write(analyze((await bundleApp()).metafile));
else {
  const stamp = stampOf(target);
  if (values.force || !isFresh(target, stamp)) {
    await build(target);
    markFresh(target, stamp);
  } else process.stderr.write(`${outputOf(target)} is up to date.\n`);
  if (values.archive) await makeArchive(target);
}
