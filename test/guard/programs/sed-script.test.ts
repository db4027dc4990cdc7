import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readSedScript } from '../../../src/guard/programs/sed-script.ts';

const gnu = spawnSync('sed', ['--version'], { encoding: 'utf8' }).stdout?.includes('GNU') ?? false;

/** Pieces that sed scripts are made of, the confusing ones above all; none that names a file. */
const PIECES =
  's/|y/|/|[|]|\\|e|a|b|t|touch M|;|{|}|\n|1|,|!|^|$|x|e touch M\n|s/t/&/|[:alpha:]|#| |g|M|c\\|i|a\\\n|:|p|*|.|s,|,e'.split('|');

it.runIf(gnu)('no script that runs a program for GNU sed is taken for one that does not', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sed-script-'));
  const mark = join(folder, 'M');
  try {
    const script = fc
      .tuple(
        fc.constantFrom('', 's/'),
        fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 11 }),
        fc.constantFrom('', '/e', '\ne touch M'),
      )
      .map(([start, pieces, end]) => start + pieces.join('') + end);
    fc.assert(
      fc.property(script, (text) => {
        rmSync(mark, { force: true });
        spawnSync('sed', [text], { cwd: folder, input: 'touch M\n', timeout: 2000 });
        if (existsSync(mark)) expect(readSedScript(text).map(({ kind }) => kind)).toContainEqual(expect.stringMatching(/^runs/));
      }),
      { numRuns: 300 },
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
