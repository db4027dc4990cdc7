/** Users and groups of this machine. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { Failure } from '../errors.ts';

/** A user of this machine. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
}

/** The one this process runs as. */
export function ownAccount(): Account {
  const { username, uid, gid, homedir, shell } = userInfo();
  return { name: username, uid, gid, home: homedir, shell: shell ?? '/bin/sh' };
}

/** @param nameOrId a name, or a number @throws Failure `invalid_config` where there is no such user */
export function findAccount(nameOrId: string): Account {
  const [name = '', , uid, gid, , home = '/', shell] = entry('passwd', nameOrId, 'user');
  // Who may not log in has a program there that only says so.
  const usable = shell && !/\/(?:nologin|false)$/.test(shell);
  return { name, uid: Number(uid), gid: Number(gid), home: home || '/', shell: usable ? shell : '/bin/sh' };
}

/** @throws Failure `invalid_config` where there is no such group */
export function groupId(nameOrId: string): number {
  return Number(entry('group', nameOrId, 'group')[2]);
}

/** The name of a user, or the number where it has none. */
export function userName(uid: number): string {
  try {
    return findAccount(String(uid)).name;
  } catch {
    return String(uid);
  }
}

function entry(database: 'passwd' | 'group', wanted: string, what: string): string[] {
  const line = lookUp(database, wanted);
  if (line === undefined) {
    throw new Failure('invalid_config', `There is no ${what} "${wanted}" on this machine.`, {
      hint: 'Look at `host_agent` in the configuration.',
    });
  }
  return line.split(':');
}

/** With getent, which knows users of directories too; else in the file itself. */
function lookUp(database: 'passwd' | 'group', wanted: string): string | undefined {
  if (!/^[A-Za-z0-9_][\w.@-]*\$?$/.test(wanted)) return undefined;
  try {
    return execFileSync('getent', [database, wanted], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n')[0];
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') return undefined;
  }
  const lines = readFileSync(`/etc/${database}`, 'utf8').split('\n');
  return lines.find((line) => line.split(':')[0] === wanted || line.split(':')[2] === wanted);
}
