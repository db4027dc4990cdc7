/**
 * Runs the app as the executable would, and keeps the bytecode of what ran: `warm-up.ts <app> <cache>`.
 * Standard input holds an MCP conversation; the cache is written when the program ends with it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Script } from 'node:vm';

const [, , appFile = '', cacheFile = ''] = process.argv;
const script = new Script(readFileSync(appFile, 'latin1'), { filename: 'mcp-python' });
const app = script.runInThisContext()(createRequire(import.meta.url), pathToFileURL(process.execPath).href);
process.on('exit', () => writeFileSync(cacheFile, script.createCachedData()));
void app.main(['stdio']);
