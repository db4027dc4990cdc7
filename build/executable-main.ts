/**
 * What the executable runs first: loads the app from its assets, with the bytecode that was made at build time.
 * `globalThis[Symbol.for('mcp-python.code-cache')]` tells 'used' or 'not used', for tests.
 */
import { writeSync } from 'node:fs';
import { getRawAsset } from 'node:sea';
import { pathToFileURL } from 'node:url';
import { Script } from 'node:vm';
import { VERSION } from '../src/version.ts';

type App = (require: NodeJS.Require, executableUrl: string) => { main(args: readonly string[]): Promise<void> };

function start(args: readonly string[]): void {
  if (args.length === 1 && (args[0] === '--version' || args[0] === '-V') && answered(`${VERSION}\n`)) return;
  const source = Buffer.from(getRawAsset('app')).toString('latin1');
  // A view of the file, never copied. V8 drops a cache that does not fit its flags and compiles instead: slower, not wrong.
  const cachedData = Buffer.from(getRawAsset('cache'));
  const script = new Script(source, { filename: 'mcp-python', ...(cachedData.length > 0 && { cachedData }) });
  Reflect.set(globalThis, Symbol.for('mcp-python.code-cache'), script.cachedDataRejected === false ? 'used' : 'not used');
  const app: App = script.runInThisContext();
  void app(require, pathToFileURL(process.execPath).href).main(args);
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
