import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { programShape } from '../../src/cli/completions/shape.ts';
import { EXIT } from '../../src/cli/exit-codes.ts';
import { VERSION } from '../../src/version.ts';
import { generatedBlocks, withBlock } from './generated-docs.ts';
import { run, temporaryFile } from './run-program.ts';

const ROOT = join(import.meta.dirname, '../..');
const MANUAL = readdirSync(join(ROOT, 'man')).map((name) => `man/${name}`);
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

/** Pages that the options of a subcommand may stand in. */
function pageOf(path: readonly string[]): string {
  const pages = [1, 8].map((section) => `man/mcp-python-${path[0]}.${section}`);
  return pages.find((page) => existsSync(join(ROOT, page))) ?? 'man/mcp-python.1';
}

describe('README and the manual pages', () => {
  it('hold what the program says of its options, tools and keys (UPDATE_DOCS=1 rewrites them)', async () => {
    for (const block of await generatedBlocks()) {
      const before = read(block.file);
      const after = withBlock(before, block);
      if (process.env.UPDATE_DOCS === '1') writeFileSync(join(ROOT, block.file), after);
      else expect(before, `${block.name} in ${block.file}`).toBe(after);
    }
  });

  it('name every option of every subcommand', async () => {
    const { commands } = await programShape();
    const missing = commands.flatMap(({ path, options }) =>
      options
        .flatMap(({ flags }) => flags)
        .filter((flag) => flag !== '-h' && flag !== '-V')
        .flatMap((flag) => [
          ...(read('README.md').includes(flag) ? [] : [`README.md: ${path.join(' ')} ${flag}`]),
          ...(documented(pageOf(path), flag) || documented('man/mcp-python.1', flag)
            ? []
            : [`${pageOf(path)}: ${path.join(' ')} ${flag}`]),
        ]),
    );
    expect(missing).toEqual([]);
  });

  it('tell every exit status', () => {
    for (const status of Object.values(EXIT)) {
      expect(read('README.md')).toMatch(new RegExp(`^\\| ${status} \\|`, 'm'));
      expect(read('man/mcp-python.1')).toMatch(new RegExp(`^\\.It ${status}$`, 'm'));
    }
  });

  it('are about this version', () => {
    expect(read('CHANGELOG.md')).toContain(`## [${VERSION}]`);
  });

  it.skipIf(spawnSync('groff', ['--version']).status !== 0)(
    'render without a warning (skipped where groff is not installed)',
    () => {
      for (const page of MANUAL) {
        const { stdout, stderr } = spawnSync('groff', ['-ww', '-mandoc', '-Kutf8', '-Tutf8', '-P-cbou', '-rLL=80n', page], {
          cwd: ROOT,
          encoding: 'utf8',
        });
        expect({ page, stderr }).toEqual({ page, stderr: '' });
        expect(stdout).toContain('NAME');
      }
    },
  );
});

/** Examples whose output is shortened, or differs from one machine to the next. */
const SHORTENED = /^…$|, …$|\/home\/me/m;

describe('the examples of README', () => {
  const fences = [...read('README.md').matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = '', text = '']) => ({
    language,
    text,
  }));

  it('hold a plug-in that works as it is printed', async () => {
    const plugin = fences.find(({ language }) => language === 'js')?.text ?? '';
    const file = temporaryFile('plugin.mjs', plugin);
    const { status, stdout, stderr } = await run(['call', 'count_words', 'text=one two three', '--plugin', file, '--json']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual({ words: 3 });
  });

  it('hold configurations that are valid', async () => {
    const examples = fences.filter(({ language }) => language === 'yaml');
    expect(examples.length).toBeGreaterThan(2);
    for (const { text } of examples) {
      const { status, stderr } = await run(['config', 'validate', temporaryFile('config.yaml', text)]);
      expect({ text, status, stderr }).toEqual({ text, status: 0, stderr: '' });
    }
  });

  it('print what README says they print', async () => {
    const examples = fences
      .filter(({ language }) => language === 'console')
      .flatMap(({ text }) => text.split(/^\$ /m).slice(1))
      .map((each) => ({ command: each.split('\n', 1)[0] ?? '', output: each.slice(each.indexOf('\n') + 1) }))
      .filter(({ output, command }) => /(?:^|\| )mcp-python /.test(command) && output !== '' && !SHORTENED.test(output));
    expect(examples.length).toBeGreaterThan(7);
    const bin = temporaryFile('mcp-python', `#!/bin/sh\nexec '${process.execPath}' '${join(ROOT, 'bin/mcp-python.ts')}' "$@"\n`);
    execFileSync('chmod', ['+x', bin]);
    const plugin = fences.find(({ language }) => language === 'js')?.text ?? '';
    writeFileSync(join(bin, '..', 'count-words.mjs'), plugin);
    for (const { command, output } of examples) {
      const env = {
        PATH: `${join(bin, '..')}:${process.env.PATH}`,
        HOME: join(bin, '..'),
        NODE_COMPILE_CACHE: join(ROOT, 'node_modules/.cache/node-compile'),
      };
      const { stdout } = spawnSync('/bin/sh', ['-c', `{ ${command}; } 2>&1`], { encoding: 'utf8', env, cwd: join(bin, '..') });
      expect(stdout, command).toBe(output);
    }
  });
});

function documented(page: string, flag: string): boolean {
  return read(page).includes(`Fl ${flag.slice(1).replaceAll('-', '\\-')}`);
}
