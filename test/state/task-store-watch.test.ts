import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { openTaskStore } from '../../src/state/task-store.ts';
import { watchStore } from '../../src/state/task-store-watch.ts';

/** Writes that each are the last for a while. */
const WRITES = 150;

/** A process that stores a task for each line it is given, and says so. */
const WRITER = `
  import { createInterface } from 'node:readline';
  const [, modules, folder] = process.argv;
  const { openTaskStore } = await import(modules + 'state/task-store.ts');
  const { rowOf } = await import(modules + 'orchestrator/durable-rows.ts');
  const store = openTaskStore(folder, 1000, folder);
  const principal = { kind: 'local', id: 'local', name: 'local', scopes: ['admin'] };
  for await (const line of createInterface(process.stdin)) {
    store.add([rowOf({ principal, title: line, run: { tool: 'none', arguments: {} } })], '{}');
    console.log(line);
  }`;

it('every write of another process is told soon, also when it is the last for a while', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-python-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const store = openTaskStore(folder, 1000, folder);
  let seen = 0;
  const { promise: failed, reject: fail } = Promise.withResolvers<never>();
  let told = () => {};
  const watching = watchStore(store.path, () => {
    seen = store.lastChange();
    told();
  });
  const modules = pathToFileURL(join(import.meta.dirname, '../../src/')).href;
  const writer = spawn(process.execPath, ['--input-type=module', '--eval', WRITER, modules, folder], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  writer.on('exit', (code) => fail(new Error(`The writer ended with ${code}.`)));
  onTestFinished(async () => {
    watching.stop();
    store.close();
    writer.removeAllListeners('exit');
    writer.kill();
    await once(writer, 'exit');
  });
  failed.catch(() => {});
  const lines = createInterface(writer.stdout);
  for (let write = 1; write <= WRITES; write++) {
    const before = seen;
    const heard = new Promise<void>((resolve) => {
      told = () => seen > before && resolve();
    });
    writer.stdin.write(`${write}\n`);
    await Promise.race([once(lines, 'line'), failed]);
    const late = new Promise((resolve) => setTimeout(resolve, 5000, 'late'));
    expect(await Promise.race([heard, late, failed]), `write ${write}`).toBeUndefined();
  }
});
