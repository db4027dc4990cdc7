import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { folderWith, noSandbox, OUTSIDE_TMP, run } from './in-sandbox.ts';

const NOBODY = 65_534;

/** Whether we may become another user who can still run what the tests run. */
function canRunAs(user: number): boolean {
  return process.getuid?.() === 0 && spawnSync(process.execPath, ['-v'], { uid: user, gid: user }).status === 0;
}

describe.skipIf(noSandbox)('a confined command', () => {
  it('writes where it may and nowhere else', async () => {
    const [workspace, outside] = [folderWith(), folderWith({ canary: 'alive' }, OUTSIDE_TMP)];
    const script = `echo hi > new; echo dead > ${outside}/canary; touch ${outside}/new; rm -rf ${outside}; touch /usr/canary /etc/canary /canary; ls ${outside}`;
    const { stdout } = await run({ writable: [workspace] }, script);
    expect(readFileSync(join(workspace, 'new'), 'utf8')).toBe('hi\n');
    expect(readFileSync(join(outside, 'canary'), 'utf8')).toBe('alive');
    expect(readdirSync(outside)).toEqual(['canary']);
    expect(['/usr/canary', '/etc/canary', '/canary'].filter(existsSync)).toEqual([]);
    expect(stdout).toBe('canary\n');
  });

  it('does not write outside through links, old or new', async () => {
    const outside = folderWith({ canary: 'alive' }, OUTSIDE_TMP);
    const workspace = folderWith();
    symlinkSync(outside, join(workspace, 'old'));
    await run({ writable: [workspace] }, `echo dead > old/canary; ln -s ${outside} new; echo dead > new/canary; touch new/more`);
    expect(readdirSync(outside)).toEqual(['canary']);
    expect(readFileSync(join(outside, 'canary'), 'utf8')).toBe('alive');
  });

  it('has a /tmp of its own, empty each time, and a workspace below /tmp all the same', async () => {
    const [workspace, other] = [folderWith({ file: 'mine' }, '/tmp'), folderWith({ canary: 'secret' }, '/tmp')];
    const script = `cat file; ls /tmp /var/tmp | grep -v '^mcp-python-sandbox'; cat ${other}/canary; echo x > /tmp/left-behind; echo y > /var/tmp/left-behind; ls /tmp/left-behind`;
    for (let round = 0; round < 2; round++) {
      const { stdout } = await run({ writable: [workspace] }, script);
      expect(stdout).toBe('mine/tmp:\n\n/var/tmp:\n/tmp/left-behind\n');
    }
    expect(['/tmp/left-behind', '/var/tmp/left-behind'].filter(existsSync)).toEqual([]);
  });

  it('works in a root that was given as a link, with all to be seen and with little', async () => {
    const target = folderWith({ file: 'here' }, OUTSIDE_TMP);
    const link = join(folderWith({}, OUTSIDE_TMP), 'link');
    symlinkSync(target, link);
    for (const readable of [undefined, []]) {
      const confinement = { writable: [link], ...(readable && { readable }) };
      const { stdout, stderr } = await run(confinement, `cat file; cat ${link}/file; echo made > ${link}/new; pwd -P`);
      expect({ stdout, stderr }).toEqual({ stdout: `herehere${target}\n`, stderr: '' });
      expect(readFileSync(join(target, 'new'), 'utf8')).toBe('made\n');
    }
  });

  it('is refused in a working directory that it cannot see', async () => {
    const hidden = folderWith({}, OUTSIDE_TMP);
    await expect(() => run({ hidden: [hidden] }, 'true', { cwd: hidden })).rejects.toMatchObject({ code: 'denied' });
    await expect(() => run({ readable: [] }, 'true', { cwd: hidden })).rejects.toMatchObject({ code: 'denied' });
  });

  it.skipIf(!canRunAs(NOBODY))('runs for an ordinary user as it does for root, who sees no more than before', async () => {
    const workspace = folderWith({ file: 'x' }, '/var');
    chownSync(workspace, NOBODY, NOBODY);
    const secret = folderWith({}, '/var');
    const listener = createServer().listen(join(secret, 'socket'));
    onTestFinished(() => void listener.close());
    await once(listener, 'listening');
    const module = (name: string) => new URL(`../../../src/backends/sandbox/${name}.ts`, import.meta.url).href;
    const script = `id -u; echo hi > new; cat new; stat -c %u new; ls -d .git/hooks .claude; echo x > .git/hooks/x; ls ${secret}`;
    const program = `
      const { enterSandbox } = await import('${module('bubblewrap')}');
      const { findSandbox } = await import('${module('find-sandbox')}');
      const confinement = { writable: ['${workspace}'], hidden: ['${workspace}/a/b', '${secret}/c/d'], network: 'none' };
      const { argv, env, release } = enterSandbox(await findSandbox(), confinement, { cwd: '${workspace}', env: { PATH: '/usr/bin:/bin', HOME: '${workspace}' } });
      const { spawnSync } = await import('node:child_process');
      const { stdout, stderr } = spawnSync(argv[0], [...argv.slice(1), '/bin/sh', '-c', ${JSON.stringify(script)}], { env, encoding: 'utf8' });
      release();
      console.log(JSON.stringify({ stdout, stderr }));`;
    mkdirSync(join(workspace, '.git/hooks'), { recursive: true });
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      uid: NOBODY,
      gid: NOBODY,
      encoding: 'utf8',
    });
    const told = JSON.parse(stdout);
    expect(told.stdout).toBe('65534\nhi\n65534\n.git/hooks\n');
    expect(told.stderr).toMatch(/\.claude.*No such file[\s\S]*Read-only file system[\s\S]*Permission denied/);
    expect(lstatSync(join(workspace, 'new')).uid).toBe(NOBODY);
    expect(readdirSync(workspace).sort()).toEqual(['.git', 'file', 'new']);
  });
});

describe.skipIf(noSandbox)('what is hidden', () => {
  it('cannot be read, changed, removed or moved, nor what it lies in', async () => {
    const workspace = folderWith({ 'a/b/secret': 'canary', 'a/keys/key': 'canary', 'a/open': 'fine' });
    const script =
      'cat a/open; cat a/b/secret; ls a/keys; cat a/keys/key; echo x > a/b/secret; echo x > a/keys/key; rm -rf a; mv a c; mv a/b c; mv a/keys k; chmod 777 a/b/secret a/keys; ln a/b/secret l; cp -r a copy; find . -type f -exec cat {} +';
    const { stdout } = await run(
      { writable: [workspace], hidden: [join(workspace, 'a/b/secret'), join(workspace, 'a/keys')] },
      script,
    );
    expect(stdout).not.toContain('canary');
    expect(stdout).toContain('fine');
    expect(readFileSync(join(workspace, 'a/b/secret'), 'utf8')).toBe('canary');
    expect(readFileSync(join(workspace, 'a/keys/key'), 'utf8')).toBe('canary');
  });

  it('cannot be made while it does not exist, its missing parents neither, and nothing is left of it', async () => {
    const workspace = folderWith({ file: '' });
    const hidden = join(workspace, '.config/ours/config.yaml');
    const script =
      'mkdir -p .config/ours; echo x > .config/ours/config.yaml; rm -rf .config; mv .config other; mkdir -p .config/ours; echo x > .config/ours/config.yaml/x';
    await run({ writable: [workspace], hidden: [hidden] }, script);
    expect(existsSync(hidden)).toBe(false);
    expect(readdirSync(workspace)).toEqual(['file']);
  });

  it('leaves alone what others have put beside a missing one meanwhile', async () => {
    const workspace = folderWith();
    const hidden = join(workspace, 'settings/ours');
    await run({ writable: [workspace], hidden: [hidden] }, 'echo theirs > settings/theirs; echo ours > settings/ours/x');
    expect(readFileSync(join(workspace, 'settings/theirs'), 'utf8')).toBe('theirs\n');
    expect(readdirSync(join(workspace, 'settings'))).toEqual(['theirs']);
  });

  it('stays hidden for a command that another one, which needed the same, ended beside', async () => {
    const workspace = folderWith();
    const confinement = { writable: [workspace], hidden: [join(workspace, 'ours')] };
    const long = run(
      confinement,
      'touch started; while [ ! -e go ]; do sleep 0.02; done; mkdir ours && echo MADE; echo x > ours/x && echo MADE',
    );
    while (!existsSync(join(workspace, 'started'))) await new Promise((resolve) => setTimeout(resolve, 10));
    await run(confinement, 'touch go');
    expect((await long).stdout).toBe('');
    expect(existsSync(join(workspace, 'ours'))).toBe(false);
  });

  it('may hold a folder that is writable: the longer path counts', async () => {
    const home = folderWith({ secret: 'canary', 'work/file': 'fine' }, OUTSIDE_TMP);
    const { stdout } = await run(
      { writable: [join(home, 'work')], hidden: [home] },
      `cat file; cat ${home}/secret; ls ${home}; echo x > ${home}/new; echo y > new`,
    );
    expect(stdout).toBe('finework\n');
    expect(readdirSync(home)).toEqual(['secret', 'work']);
    expect(readdirSync(join(home, 'work'))).toEqual(['file', 'new']);
  });
});

describe.skipIf(noSandbox)('reading that is confined', () => {
  it('leaves the system, the software on the PATH, what is listed and what is writable', async () => {
    const [workspace, listed, other] = [
      folderWith({}, OUTSIDE_TMP),
      folderWith({ file: 'listed' }, OUTSIDE_TMP),
      folderWith({ file: 'canary' }, OUTSIDE_TMP),
    ];
    const software = folderWith({ 'lib/data': 'data' }, OUTSIDE_TMP);
    mkdirSync(join(software, 'bin'));
    const env = { PATH: `${software}/bin:/usr/bin:/bin` };
    const script = `cat ${listed}/file ${software}/lib/data; ls /usr/bin/env /etc/passwd; cat ${other}/file; ls ${dirname(other)} /home /root; echo x > ${listed}/new; echo x > /new`;
    const { stdout } = await run({ writable: [workspace], readable: [listed] }, script, { env });
    expect(stdout).toMatch(/^listeddata\/etc\/passwd\n\/usr\/bin\/env\n/);
    expect(stdout).not.toContain('canary');
    expect(stdout).not.toContain(other.split('/').at(-1));
    expect(readdirSync(listed)).toEqual(['file']);
  });
});
