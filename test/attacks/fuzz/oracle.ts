/** What a script truly runs: it is run in a throw-away sandbox in which denied programs only leave a trace. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Oracle extends Disposable {
  /** Folder that scripts run in. */
  readonly workspace: string;
  /** Where programs are looked up; those that are not installed are found there too. */
  readonly searchPath: string;
  /** Names of the denied programs that ran. */
  ran(script: string, shell: 'sh' | 'bash'): Promise<readonly string[]>;
}

const TIME_LIMIT_MS = 4000;

export function createOracle(denied: readonly string[]): Oracle {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'mcp-oracle-')));
  const [workspace, stubs, traces] = ['w', 'stubs', 'traces'].map((name) => join(base, name)) as [string, string, string];
  for (const folder of [workspace, stubs, traces, join(base, 'trace')]) mkdirSync(folder);
  writeFileSync(join(workspace, 'f.txt'), 'hello\n');
  // Bound there for each script anew: what an earlier one left running writes elsewhere.
  const trace = join(base, 'trace', 'log');
  const binds = denied.flatMap((name) => {
    const stub = join(stubs, name);
    writeFileSync(stub, `#!/bin/sh\necho ${name} >> ${trace}\n`);
    chmodSync(stub, 0o755);
    return placesOf(name).flatMap((path) => ['--ro-bind', stub, path]);
  });
  const confined = [
    ...['--ro-bind', '/', '/', '--dev', '/dev', '--proc', '/proc', '--tmpfs', '/tmp', '--tmpfs', '/run'],
    ...['--ro-bind', stubs, stubs, '--size', String(16 * 1024 ** 2), '--tmpfs', workspace],
    ...binds,
    ...['--unshare-all', '--die-with-parent', '--new-session', '--cap-drop', 'ALL', '--chdir', workspace],
  ];
  const searchPath = `/usr/local/bin:/usr/bin:/bin:${stubs}`;
  let runs = 0;
  const env = { PATH: searchPath, HOME: workspace, LANG: 'C.UTF-8' };

  return {
    workspace,
    searchPath,
    async ran(script, shell) {
      const own = join(traces, String(runs++));
      mkdirSync(own);
      const prepare = `echo hello > f.txt; exec /bin/${shell} -c "$1" ${shell}`;
      const child = spawn('bwrap', [...confined, '--bind', own, join(base, 'trace'), '/bin/sh', '-c', prepare, 'sh', script], {
        env,
        stdio: 'ignore',
      });
      const timer = setTimeout(() => child.kill('SIGKILL'), TIME_LIMIT_MS);
      await once(child, 'close');
      clearTimeout(timer);
      const log = join(own, 'log');
      const names = existsSync(log) ? readFileSync(log, 'utf8').split('\n').filter(Boolean) : [];
      rmSync(own, { recursive: true, force: true });
      return [...new Set(names)];
    },
    [Symbol.dispose]() {
      rmSync(base, { recursive: true, force: true });
    },
  };
}

/** Every file that the name stands for. */
function placesOf(name: string): string[] {
  try {
    const found = execFileSync('sh', ['-c', 'command -v "$1"', 'sh', name], { encoding: 'utf8' }).trim();
    return found.startsWith('/') ? [realpathSync(found)] : [];
  } catch {
    return [];
  }
}
