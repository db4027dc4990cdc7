/**
 * What the executable runs first: loads the app from its assets, with the bytecode that was made at build time.
 * `globalThis[Symbol.for('mcp-python.code-cache')]` tells 'used' or 'not used', for tests.
 */
import { writeSync } from 'node:fs';
import { VERSION } from '../src/version.ts';

interface App {
  main(args: readonly string[]): Promise<void>;
  runAgent(): Promise<void>;
}

/**
 * Loads the app from the executable's assets. Its text is also the program of the agents' threads, which have no file
 * to start from: so it uses nothing from around it.
 */
function load(from: NodeJS.Require): App {
  const { getRawAsset } = from('node:sea') as typeof import('node:sea');
  const { pathToFileURL } = from('node:url') as typeof import('node:url');
  const { Script } = from('node:vm') as typeof import('node:vm');
  const source = Buffer.from(getRawAsset('app')).toString('latin1');
  // A view of the file, never copied. V8 drops a cache that does not fit its flags and compiles instead: slower, not wrong.
  const cachedData = Buffer.from(getRawAsset('cache'));
  const script = new Script(source, { filename: 'mcp-python', ...(cachedData.length > 0 && { cachedData }) });
  Reflect.set(globalThis, Symbol.for('mcp-python.code-cache'), script.cachedDataRejected === false ? 'used' : 'not used');
  return script.runInThisContext()(from, pathToFileURL(process.execPath).href);
}

function start(args: readonly string[]): void {
  if (args.length === 1 && (args[0] === '--version' || args[0] === '-V') && answered(`${VERSION}\n`)) return;
  Reflect.set(globalThis, Symbol.for('mcp-python.agent-source'), `(${load})(require).runAgent()`);
  void load(require).main(args);
}

/** Setting up `process.stdout` takes longer than all of this; a full pipe is left to it. */
function answered(text: string): boolean {
  try {
    return writeSync(1, text) === text.length;
  } catch {
    return false;
  }
}

start(process.argv.slice(2));
