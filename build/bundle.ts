/** The program as two CommonJS files: a tiny main, which the executable starts, and the app, which main loads from its assets. */
import { join, relative } from 'node:path';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';
import manifest from '../package.json' with { type: 'json' };
import { ROOT } from './places.ts';

export interface Bundle {
  readonly code: Uint8Array;
  readonly metafile: Metafile;
}

const COMMON = {
  bundle: true,
  write: false,
  metafile: true,
  platform: 'node',
  target: 'node24',
  format: 'cjs',
  minify: true,
  legalComments: 'none',
  alias: {
    // Its CommonJS form is a UMD wrapper that hides its own files from a bundler.
    'jsonc-parser': 'jsonc-parser/lib/esm/main.js',
    // The other way round: its ES module makes a `require` of its own.
    'web-tree-sitter': join(ROOT, 'node_modules/web-tree-sitter/web-tree-sitter.cjs'),
  },
  // One byte a character in memory, and the same string from whatever decodes it.
  charset: 'ascii',
  absWorkingDir: ROOT,
  logLevel: 'warning',
  // An executable has no module loader of its own for `import()`: built-in modules come by `require`.
  supported: { 'dynamic-import': false },
} satisfies BuildOptions;

/** Native addons cannot be in a single file; what wants one falls back to its JavaScript (ssh2 does). */
const noNativeAddons: Plugin = {
  name: 'no-native-addons',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\.node$|^cpu-features$/ }, ({ path }) => ({ path, namespace: 'native-addon' }));
    onLoad({ filter: /.*/, namespace: 'native-addon' }, ({ path }) => ({
      contents: `throw new Error(${JSON.stringify(`The native addon ${path} is not part of this executable.`)});`,
    }));
  },
};

/** Commander can run subcommands that are programs of their own; ours are not, and loading what it would need takes 3 ms. */
const commanderStartsNothing: Plugin = {
  name: 'commander-starts-nothing',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:child_process$/ }, ({ importer }) =>
      /[\\/]commander[\\/]/.test(importer) ? { path: 'child_process', namespace: 'on-demand' } : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'on-demand' }, () => ({
      contents: "exports.spawn = (...args) => require('node:child_process').spawn(...args);",
    }));
  },
};

/** Of package.json only the version is used; the rest would change the executable with every development dependency. */
const versionOnly: Plugin = {
  name: 'version-only',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]package\.json$/ }, ({ path }) =>
      relative(ROOT, path) === 'package.json'
        ? { contents: JSON.stringify({ version: manifest.version }), loader: 'json' }
        : undefined,
    );
  },
};

/** zod has error messages in 60 languages; nobody here asks for another than English. */
const englishOnly: Plugin = {
  name: 'english-only',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js';",
    }));
  },
};

/** An expression that yields the program's exports, given what main hands in; still lazy inside where the source says `import()`. */
export function bundleApp(): Promise<Bundle> {
  return bundle({
    ...COMMON,
    entryPoints: [join('src', 'cli', 'main.ts')],
    plugins: [noNativeAddons, commanderStartsNothing, versionOnly, englishOnly],
    // Whoever looks for files beside itself (web-tree-sitter, before it takes what it is given) finds none.
    define: { 'import.meta.url': 'executableUrl', __dirname: '"/"' },
    banner: { js: '(function(require,executableUrl){var module={exports:{}},exports=module.exports;' },
    footer: { js: 'return module.exports})' },
  });
}

export function bundleMain(): Promise<Bundle> {
  return bundle({ ...COMMON, entryPoints: [join('build', 'executable-main.ts')], plugins: [versionOnly] });
}

async function bundle(options: BuildOptions): Promise<Bundle> {
  const { outputFiles, metafile } = await build(options);
  const code = outputFiles?.[0]?.contents;
  if (!code || !metafile) throw new Error('esbuild gave no output.');
  if (code.some((byte) => byte > 0x7f)) throw new Error('The bundle is not plain ASCII.');
  return { code, metafile };
}
