/** Checks of the folders we work in, and of what runs commands there. */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Config } from '../../config/schema.ts';
import { toFailure } from '../../errors.ts';
import type { GuardedBackend } from '../../guard/guarded-backend.ts';
import { stateFolder } from '../../state/folders.ts';
import { type Check, fail, ok, warn } from './check.ts';

/** The folder relative paths start from, and whether the path rules let anyone work there. */
export async function checkWorkspace({ execution }: Config, backend: GuardedBackend): Promise<Check> {
  const name = 'workspace';
  const folder = resolve(execution.workspace || process.cwd());
  const from = execution.workspace ? '' : ' (the working directory)';
  const found = await stat(folder).catch(() => undefined);
  if (!found?.isDirectory()) {
    return fail(name, `${folder} is not a folder`, 'Make it, or set `execution.workspace` to another.');
  }
  try {
    await backend.files.list(folder, { hidden: false, limit: 1 });
  } catch (thrown) {
    const { message } = toFailure(thrown);
    return fail(name, message, 'Set `execution.workspace` to a folder that `execution.security.path_restrictions` allows.');
  }
  if (!(await isWritable(folder))) return warn(name, `${folder}${from} cannot be written`, 'Tools can only read there.');
  if (folder === '/' && execution.security.path_restrictions.length === 0) {
    return warn(name, 'it is /, so file tools write nowhere but in the temporary folder', 'Set `execution.workspace`.');
  }
  return ok(name, `${folder}${from}, writable`);
}

/** Folders that the rules name and that do not exist: nothing can be read or written there. */
export async function checkPathRestrictions({ execution }: Config): Promise<Check> {
  const name = 'path rules';
  const folders = execution.security.path_restrictions;
  if (folders.length === 0) return ok(name, 'file tools read anywhere, write below the workspace and the temporary folder');
  const missing: string[] = [];
  for (const folder of folders) {
    if (!(await stat(folder).catch(() => undefined))?.isDirectory()) missing.push(folder);
  }
  if (missing.length === 0) return ok(name, `file tools are confined to ${folders.join(', ')}`);
  return warn(name, `not a folder: ${missing.join(', ')}`, 'Correct `execution.security.path_restrictions`, or make the folder.');
}

export async function checkState({ state }: Config): Promise<Check> {
  const name = 'state folder';
  const folder = resolve(stateFolder(state.directory));
  const found = await stat(folder).catch(() => undefined);
  if (found && !found.isDirectory()) return fail(name, `${folder} is not a folder`, 'Remove it, or set `state.directory`.');
  if (!(await isWritable(found ? folder : await nearestFolder(folder)))) {
    return fail(name, `${folder} cannot be written: keys are kept there`, 'Make it writable, or set `state.directory`.');
  }
  if (found && (found.mode & 0o022) !== 0) {
    return warn(name, `${folder} can be written by others`, `Run \`chmod go-w ${folder}\`.`);
  }
  return ok(name, found ? `${folder}, writable` : `${folder}, made when it is needed`);
}

/** Runs `true` where the tools would run commands. */
export async function checkBackend({ execution }: Config, backend: GuardedBackend): Promise<Check> {
  const name = `${execution.mode} backend`;
  try {
    const ended = await backend.exec(
      {
        command: { kind: 'argv', argv: ['true'] },
        cwd: backend.absolute('.'),
        env: backend.environment(),
        timeoutMs: 10_000,
        maxOutputBytes: 1024,
      },
      { signal: AbortSignal.timeout(15_000) },
    );
    const took = `${Math.round(ended.durationMs)} ms`;
    if (ended.outcome === 'exited' && ended.exitCode === 0) return ok(name, `ran \`true\` in ${took}`);
    return fail(
      name,
      `\`true\` ended with ${ended.signal ?? ended.exitCode ?? ended.outcome} after ${took}`,
      'Try a command in this shell.',
    );
  } catch (thrown) {
    const { message, hint } = toFailure(thrown);
    return fail(name, message, hint ?? 'Try a command in this shell.');
  }
}

async function isWritable(folder: string): Promise<boolean> {
  return access(folder, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** The closest folder above that exists: there the missing ones would be made. */
async function nearestFolder(path: string): Promise<string> {
  const parent = dirname(path);
  if (parent === path || (await stat(parent).catch(() => undefined))) return parent;
  return nearestFolder(parent);
}
