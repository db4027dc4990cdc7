import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuditEntry, AuditLog } from '../../src/audit/audit-log.ts';
import type { ExecIO } from '../../src/backends/backend.ts';
import { createNativeBackend } from '../../src/backends/native.ts';
import { createApprovals } from '../../src/guard/approvals.ts';
import { baseEnvironment } from '../../src/guard/environment.ts';
import { type GuardedBackend, type GuardRules, guardBackend, type JobLimits } from '../../src/guard/guarded-backend.ts';
import type { JobCommand } from '../../src/guard/guarded-jobs.ts';
import { LOCAL_PRINCIPAL, type Principal } from '../../src/identity/principal.ts';
import { LOCAL_CALL } from '../fixtures/guard.ts';
import { eventually } from '../fixtures/waiting.ts';

const ANNA: Principal = { ...LOCAL_PRINCIPAL, id: 'key-anna', name: 'anna' };
const LIMITS: JobLimits = {
  softLimitSeconds: 0.5,
  maxSeconds: 20,
  maxOutputBytes: 64 * 1024,
  maxRunning: 50,
  retentionSeconds: 3600,
};
const { sandbox } = await createNativeBackend().enforcement();

// Not in the temporary folder: commands in a sandbox have one of their own.
let base: string;
beforeAll(() => {
  base = realpathSync(mkdtempSync(join(homedir(), '.mcp-python-test-')));
  for (const name of ['ws', 'home']) mkdirSync(join(base, name));
});
afterAll(() => rmSync(base, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));

/** A server of its own on the same state folder. */
function server(jobs: Partial<JobLimits> = {}, rules: Partial<GuardRules> = {}) {
  const records: AuditEntry[] = [];
  const audit: AuditLog = {
    record: async (entry) => void records.push(entry),
    [Symbol.asyncDispose]: async () => {},
  };
  const backend = createNativeBackend(join(base, 'state', 'jobs'));
  const machine = guardBackend(
    backend,
    {
      restrictions: [],
      workspace: join(base, 'ws'),
      temporary: join(base, 'tmp'),
      home: join(base, 'home'),
      protectedPaths: [join(base, 'state')],
      environment: baseEnvironment(process.env, []),
      limits: {
        maxExecutionSeconds: 10,
        maxOutputBytes: 10_000,
        resources: { memoryBytes: 2 * 1024 ** 3, cpus: 4, processes: 512 },
        jobs: { ...LIMITS, ...jobs },
      },
      sandbox: 'off',
      networkHosts: [],
      policy: { profile: 'developer', allowed: [], blocked: [], rules: [] },
      ...rules,
    },
    { approvals: createApprovals(join(base, 'state', 'approvals'), 600), audit },
  );
  const as = (principal: Principal) => machine.forCall({ ...LOCAL_CALL, taskId: randomUUID(), principal });
  const ends = (id: string) => records.filter((entry) => entry.event === 'command_end' && entry.task === id);
  return { local: as(LOCAL_PRINCIPAL), anna: as(ANNA), records, ends, close: () => backend[Symbol.asyncDispose]() };
}

function command(
  backend: GuardedBackend,
  script: string,
  more: Partial<JobCommand> = {},
): JobCommand & { maxOutputBytes: number } {
  return {
    command: { kind: 'script', script },
    cwd: join(base, 'ws'),
    env: backend.environment(),
    timeoutMs: 10_000,
    maxOutputBytes: 10_000,
    terminal: false,
    openInput: false,
    ...more,
  };
}

const io = (signal = new AbortController().signal): ExecIO & { readonly seen: string } => {
  let seen = '';
  return {
    signal,
    onOutput: (_, chunk) => {
      seen += Buffer.from(chunk).toString();
    },
    get seen() {
      return seen;
    },
  };
};
const NEVER = new AbortController().signal;

describe('a job in a terminal that is typed into', () => {
  it('is refused where programs are named one by one: pagers and editors run what is typed', async () => {
    const listed = server({}, { policy: { profile: 'developer', allowed: [], blocked: ['rm'], rules: [] } });
    const start = async (more: Partial<JobCommand>) => (await listed.local.jobs()).start(command(listed.local, 'less x', more));
    await expect(start({ terminal: true, openInput: true })).rejects.toMatchObject({
      code: 'denied',
      message: expect.stringContaining('terminal'),
    });
    await expect(start({ openInput: true })).resolves.toBeDefined();
  });
});

describe.each(['off', ...(sandbox === undefined ? [] : ['required' as const])] as const)('jobs with the sandbox %s', (mode) => {
  it('are seen by their principal only, whatever is asked of them', async () => {
    const { local, anna } = server({}, { sandbox: mode });
    const [mine, hers] = [await local.jobs(), await anna.jobs()];
    const { job } = await mine.start(command(local, 'sleep 30', { openInput: true }));
    const unseen = { code: 'not_found' };
    expect((await hers.list()).map(({ id }) => id)).not.toContain(job.id);
    await expect(hers.get(job.id)).rejects.toMatchObject(unseen);
    await expect(hers.read(job.id, 'stdout', { offset: 0, maxBytes: 10 })).rejects.toMatchObject(unseen);
    await expect(hers.wait(job.id, { seconds: 0 }, NEVER)).rejects.toMatchObject(unseen);
    await expect(hers.write(job.id, Buffer.from('x'), NEVER)).rejects.toMatchObject(unseen);
    await expect(hers.closeInput(job.id)).rejects.toMatchObject(unseen);
    await expect(hers.signal(job.id, 'KILL')).rejects.toMatchObject(unseen);
    await mine.signal(job.id, 'KILL');
  });

  it('cannot be reached by commands', async () => {
    const { local } = server({}, { sandbox: mode });
    const jobs = await local.jobs();
    const folder = join(base, 'state', 'jobs');
    const spy = command(local, `ls ${folder}; cat ${folder}/*/meta.json; echo x >${folder}/x`);
    if (mode === 'off') await expect(jobs.start(spy)).rejects.toMatchObject({ code: 'denied' });
    else {
      const script = `f=$(printf %s ${folder.replace('state', '"sta"te')}); ls "$f" | wc -l; echo x >"$f"/x; echo $?`;
      const result = await jobs.run(command(local, script), io());
      expect(Buffer.from(result.stdout.head).toString()).toMatch(/^\s*0\n[1-9]/);
    }
    expect(readdirSync(folder)).not.toContain('x');
  });
});

describe('a command that its caller waits for', () => {
  it('is the same as ever when it ends in time, and leaves no job', async () => {
    const { local, records } = server({ softLimitSeconds: 10 });
    const jobs = await local.jobs();
    const before = (await jobs.list()).length;
    const watched = io();
    const result = await jobs.run(command(local, 'echo one; sleep 0.2; echo two >&2; exit 3'), watched);
    expect(result).toMatchObject({ outcome: 'exited', exitCode: 3, signal: null });
    expect(watched.seen).toBe('one\ntwo\n');
    expect(await jobs.list()).toHaveLength(before);
    expect(records.map(({ event }) => event)).toEqual(['command', 'command_end']);
  });

  it('goes on past the soft limit, and what there is so far is told', async () => {
    const { local, records } = server();
    const jobs = await local.jobs();
    const result = await jobs.run(command(local, 'echo so far; sleep 2; echo done'), io());
    if (result.outcome !== 'running') throw new Error(result.outcome);
    expect(Buffer.from(result.stdout.head).toString()).toBe('so far\n');
    await jobs.wait(result.job.id, { seconds: 10 }, NEVER);
    expect((await jobs.read(result.job.id, 'stdout', { offset: 7, maxBytes: 100 })).text).toBe('done\n');
    expect(records.map(({ event }) => event)).toEqual(['command', 'command_end']);
  });

  it('ends with its call when that is cancelled before', async () => {
    const { local, records } = server({ softLimitSeconds: 10 });
    const cancelled = await (await local.jobs()).run(command(local, 'echo begun; sleep 20'), io(AbortSignal.timeout(300)));
    expect(cancelled).toMatchObject({ outcome: 'cancelled', signal: 'SIGTERM' });
    expect(records.at(-1)).toMatchObject({ event: 'command_end', outcome: 'cancelled' });
  });

  it('has no more time than any other, and is told to be over it', async () => {
    const { local } = server({ softLimitSeconds: 10 });
    expect(await (await local.jobs()).run(command(local, 'sleep 20', { timeoutMs: 300 }), io())).toMatchObject({
      outcome: 'timeout',
    });
  });

  it('stays as a job when not all of its output was told', async () => {
    const { local } = server({ softLimitSeconds: 10 });
    const jobs = await local.jobs();
    const result = await jobs.run(command(local, 'yes 0123456 | head -c 40000; echo the end'), io());
    if (result.outcome === 'running' || !result.job) throw new Error('not kept');
    expect(result.stdout).toMatchObject({ totalBytes: 40_008, omittedBytes: 30_008 });
    expect((await jobs.read(result.job.id, 'stdout', { offset: 16_000, maxBytes: 16 })).text).toBe('0123456\n0123456\n');
    expect((await jobs.read(result.job.id, 'stdout', { lastLines: 1, maxBytes: 1000 })).text).toBe('the end\n');
  });
});

describe('the guard', () => {
  it('decides on jobs as on every command, before they start', async () => {
    const { local, records } = server();
    const jobs = await local.jobs();
    const before = (await jobs.list()).length;
    await expect(jobs.start(command(local, 'sudo reboot'))).rejects.toMatchObject({ code: 'denied' });
    await expect(jobs.start(command(local, 'true', { cwd: join(base, 'state') }))).rejects.toMatchObject({ code: 'denied' });
    await expect(jobs.start(command(local, 'true', { env: { LD_PRELOAD: '/x' } }))).rejects.toMatchObject({ code: 'denied' });
    expect(await jobs.list()).toHaveLength(before);
    expect(records).toMatchObject([{ event: 'command', verdict: 'deny' }]);
  });

  it('does not let a shell be fed what it cannot judge', async () => {
    const { local } = server();
    const jobs = await local.jobs();
    await expect(jobs.start(command(local, 'bash', { openInput: true }))).rejects.toMatchObject({ code: 'denied' });
    await expect(
      jobs.start(command(local, '', { command: { kind: 'argv', argv: ['sh'] }, openInput: true })),
    ).rejects.toMatchObject({
      code: 'denied',
    });
    const { job } = await jobs.start(command(local, 'cat', { openInput: true }));
    await jobs.signal(job.id, 'KILL');
  });

  it('records the end of a job once, by whichever server sees it first', async () => {
    const [first, second] = [server(), server()];
    const { job } = await (await first.local.jobs()).start(command(first.local, 'true'));
    const others = await second.local.jobs();
    await others.wait(job.id, { seconds: 10 }, NEVER);
    await eventually(() => [...first.ends(job.label.task), ...second.ends(job.label.task)].length > 0);
    await (await first.local.jobs()).get(job.id);
    await others.list();
    const ends = [...first.ends(job.label.task), ...second.ends(job.label.task)];
    expect(ends).toMatchObject([{ outcome: 'exited', exit_code: 0, principal: LOCAL_PRINCIPAL.id }]);
  });

  it('records the end of a job that ended while no server was there, when jobs are used again', async () => {
    const first = server();
    const { job } = await (await first.anna.jobs()).start(command(first.anna, 'sleep 0.3'));
    await first.close();
    await new Promise((resolve) => setTimeout(resolve, 800));
    expect(first.ends(job.label.task)).toEqual([]);
    const second = server();
    await second.local.jobs();
    await eventually(() => second.ends(job.label.task).length === 1);
    expect(await (await second.anna.jobs()).get(job.id)).toMatchObject({ end: { outcome: 'exited' } });
  });

  it('lets no more jobs run than may', async () => {
    const others = (await (await server().local.jobs()).list()).filter(({ end }) => !end).length;
    const { local } = server({ maxRunning: others + 2 });
    const jobs = await local.jobs();
    const started = await Promise.allSettled([1, 2, 3, 4].map(() => jobs.start(command(local, 'sleep 30'))));
    const running = started.flatMap((each) => (each.status === 'fulfilled' ? [each.value.job] : []));
    expect(running.length).toBeLessThanOrEqual(2);
    expect(started.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'unavailable' } });
    for (const { id } of running) await jobs.signal(id, 'KILL');
  });

  it('removes what ended longer ago than it is kept', async () => {
    const first = server();
    const jobs = await first.local.jobs();
    const { job } = await jobs.start(command(first.local, 'true'));
    await jobs.wait(job.id, { seconds: 10 }, NEVER);
    const second = server({ retentionSeconds: 0.001 });
    await second.local.jobs();
    await eventually(async () => !(await jobs.list()).some(({ id }) => id === job.id));
  });
});

describe('output that is read in pieces', () => {
  it('holds no secret, also where a border cuts one in two', async () => {
    const { local } = server();
    const jobs = await local.jobs();
    const token = `ghp_${'a1B2c3D4e5F6'.repeat(3)}`;
    const { job } = await jobs.start(command(local, '', { command: { kind: 'argv', argv: ['echo', 'token', token, 'end'] } }));
    await jobs.wait(job.id, { seconds: 10 }, NEVER);
    let all = '';
    for (let offset = 0; offset < 60; ) {
      const piece = await jobs.read(job.id, 'stdout', { offset, maxBytes: 7 });
      if (piece.nextOffset === offset) break;
      all += piece.text;
      offset = piece.nextOffset;
    }
    expect(all).toMatch(/^token .*end\n$/);
    expect(all.replaceAll(/\[redacted[^\]]*\]/g, '')).toBe('token  end\n');
    expect(job.label.command).not.toContain(token);
    const wait = jobs.wait(job.id, { seconds: 0, pattern: { expression: 'ghp_a1', offsets: { stdout: 0 } } }, NEVER);
    expect(await wait).toBeUndefined();
  });

  it('ends at characters, and goes on where it ended', async () => {
    const { local } = server();
    const jobs = await local.jobs();
    const { job } = await jobs.start(command(local, `printf 'äöü€😀'`));
    await jobs.wait(job.id, { seconds: 10 }, NEVER);
    const texts: string[] = [];
    for (let offset = 0; offset < 13; ) {
      const piece = await jobs.read(job.id, 'stdout', { offset, maxBytes: 4 });
      texts.push(piece.text);
      offset = piece.nextOffset;
    }
    expect(texts).toEqual(['äö', 'ü', '€', '😀']);
  });

  it('is waited for by a pattern, in lines that are not complete too', async () => {
    const { local } = server();
    const jobs = await local.jobs();
    const script =
      'echo starting; sleep 0.3; echo "Listening on port 4711"; printf "name? "; read -r name; echo "hello $name"; sleep 20';
    const { job } = await jobs.start(command(local, script, { openInput: true }));
    const wait = (expression: string, seconds = 10) =>
      jobs.wait(job.id, { seconds, pattern: { expression, offsets: { stdout: 0, stderr: 0 } } }, NEVER);
    expect(await wait('port \\d+$')).toEqual({ stream: 'stdout', line: 'Listening on port 4711' });
    expect(await wait('^name\\? $')).toEqual({ stream: 'stdout', line: 'name? ' });
    await jobs.write(job.id, Buffer.from('Anna\n'), NEVER);
    expect(await wait('hello Anna')).toBeDefined();
    expect(await wait('never', 0.2)).toBeUndefined();
    await expect(wait('(')).rejects.toMatchObject({ code: 'invalid_input' });
    await jobs.signal(job.id, 'KILL');
    expect(await wait('never')).toBeUndefined();
  });

  it('stops a pattern that takes too long', async () => {
    const { local } = server();
    const jobs = await local.jobs();
    const { job } = await jobs.start(command(local, `printf '%s!' ${'a'.repeat(60)}`));
    const pattern = { expression: '^(a+)+$', offsets: { stdout: 0 } };
    await expect(jobs.wait(job.id, { seconds: 10, pattern }, NEVER)).rejects.toMatchObject({ code: 'invalid_input' });
  });
});
