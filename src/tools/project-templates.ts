/** Folders and files for a new project, made in the workspace through the guarded backend. */
import { Failure } from '../errors.ts';
import type { GuardedFiles } from '../guard/guarded-files.ts';
import type { ToolContext } from './tool.ts';

export const TEMPLATES = ['documents', 'node', 'python'] as const;
export type Template = (typeof TEMPLATES)[number];

interface Plan {
  readonly name: string;
  readonly description: string;
  readonly components: readonly { readonly name: string; readonly description?: string }[];
}

export interface Scaffolded {
  readonly directory: string;
  /** Paths below the directory. */
  readonly created: readonly string[];
  /** Those that were there, and are as they were. */
  readonly kept: readonly string[];
}

/** @param directory relative to the workspace; a plain name is made fit for a folder */
export async function scaffold(template: Template, directory: string, plan: Plan, context: ToolContext): Promise<Scaffolded> {
  const backend = await context.backend();
  const root = backend.absolute(/[/.]/.test(directory) ? directory : slug(directory, '-'));
  const created: string[] = [];
  const kept: string[] = [];
  for (const [path, content] of Object.entries(FILES[template](plan))) {
    context.signal.throwIfAborted();
    const full = `${root}/${path}`;
    if (await exists(backend.files, full)) {
      kept.push(path);
      continue;
    }
    await backend.files.write(full, new TextEncoder().encode(content), { createParents: true });
    created.push(path);
  }
  return { directory: root, created, kept };
}

async function exists(files: GuardedFiles, path: string): Promise<boolean> {
  try {
    await files.stat(path);
    return true;
  } catch (thrown) {
    if (thrown instanceof Failure && thrown.code === 'not_found') return false;
    throw thrown;
  }
}

const FILES: Readonly<Record<Template, (plan: Plan) => Readonly<Record<string, string>>>> = {
  documents: (plan) => ({
    'README.md': readme(plan, ({ name }) => `docs/${slug(name, '-')}.md`),
    ...perComponent(plan, ({ name, description }) => [`docs/${slug(name, '-')}.md`, `# ${name}\n\n${description ?? ''}\n`]),
  }),
  node: (plan) => ({
    'README.md': readme(plan, ({ name }) => `src/${slug(name, '-')}/`),
    '.gitignore': 'node_modules/\n',
    'package.json': `${JSON.stringify(
      {
        name: slug(plan.name, '-'),
        version: '0.1.0',
        description: plan.description,
        private: true,
        type: 'module',
        scripts: { test: 'node --test' },
      },
      null,
      2,
    )}\n`,
    ...perComponent(plan, ({ name }) => [`src/${slug(name, '-')}/index.js`, `export const name = ${JSON.stringify(name)};\n`]),
    ...perComponent(plan, ({ name }) => [
      `test/${slug(name, '-')}.test.js`,
      [
        "import assert from 'node:assert/strict';",
        "import { test } from 'node:test';",
        `import { name } from '../src/${slug(name, '-')}/index.js';`,
        '',
        `test('it has its name', () => assert.equal(name, ${JSON.stringify(name)}));`,
        '',
      ].join('\n'),
    ]),
  }),
  python: (plan) => {
    const module = slug(plan.name, '_');
    return {
      'README.md': readme(plan, ({ name }) => `src/${module}/${slug(name, '_')}.py`),
      '.gitignore': '__pycache__/\n.venv/\n',
      'pyproject.toml': [
        '[build-system]',
        'requires = ["setuptools>=61"]',
        'build-backend = "setuptools.build_meta"',
        '',
        '[project]',
        `name = ${JSON.stringify(slug(plan.name, '-'))}`,
        'version = "0.1.0"',
        `description = ${JSON.stringify(plan.description)}`,
        '',
      ].join('\n'),
      [`src/${module}/__init__.py`]: '',
      ...perComponent(plan, ({ name }) => [`src/${module}/${slug(name, '_')}.py`, `NAME = ${JSON.stringify(name)}\n`]),
      ...perComponent(plan, ({ name }) => [
        `tests/test_${slug(name, '_')}.py`,
        [
          'import sys',
          'import unittest',
          'from pathlib import Path',
          '',
          'sys.path.insert(0, str(Path(__file__).parent.parent / "src"))',
          '',
          `from ${module} import ${slug(name, '_')}  # noqa: E402`,
          '',
          '',
          'class TestName(unittest.TestCase):',
          '    def test_it_has_its_name(self):',
          `        self.assertEqual(${slug(name, '_')}.NAME, ${JSON.stringify(name)})`,
          '',
        ].join('\n'),
      ]),
    };
  },
};

function perComponent(
  { components }: Plan,
  file: (component: Plan['components'][number]) => readonly [path: string, content: string],
): Record<string, string> {
  return Object.fromEntries(components.map(file));
}

function readme({ name, description, components }: Plan, place: (component: Plan['components'][number]) => string): string {
  const rows = components.map((each) => `- ${each.name} (\`${place(each)}\`)${each.description ? `: ${each.description}` : ''}`);
  return [`# ${name}`, '', description, '', ...rows, ''].join('\n');
}

/** Fit for a file, a package and an identifier: lower-case letters, digits and `mark`, beginning with a letter. */
function slug(text: string, mark: '-' | '_'): string {
  const plain = text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, mark)
    .replace(new RegExp(`^${mark}+|${mark}+$`, 'g'), '');
  return /^[a-z]/.test(plain) ? plain : `p${mark}${plain}`.replace(/[-_]$/, '');
}
