/**
 * Making, listing and revoking API keys.
 *
 * Each key is a file of its own that appears and disappears as a whole, so that processes need no lock between them:
 * a link is refused where the name exists, and whoever is killed in the middle leaves no key, or a whole one.
 */
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rm, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { AuditEntry } from '../audit/audit-log.ts';
import { Failure } from '../errors.ts';
import { hashApiKey, newApiKey } from './api-key.ts';
import { type ApiKey, checkKeyName, isKeyFile, keyFileName, keyPrincipal, readKeyRecord, writeKeyRecord } from './key-record.ts';
import type { Scope } from './principal.ts';

export interface KeyTerms {
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Milliseconds since 1970; undefined: never. */
  readonly expiresMs?: number | undefined;
  readonly requestsPerMinute?: number | undefined;
}

export interface CreatedKey {
  readonly key: ApiKey;
  /** The key's text: nobody can get it again. */
  readonly text: string;
}

export interface KeyStore {
  /**
   * Resolves once the key outlives a crash of the machine.
   * @throws Failure `conflict` when the name is taken, `invalid_input` for an impossible name, `unavailable` when the folder cannot be written
   */
  create(terms: KeyTerms): Promise<CreatedKey>;
  /** By name; expired ones included. */
  list(): Promise<{ readonly keys: readonly ApiKey[]; readonly unreadable: readonly string[] }>;
  /** @throws Failure `not_found`, or `conflict` for a word that is one key's name and another's id */
  revoke(nameOrId: string): Promise<ApiKey>;
}

export interface KeyStoreOptions {
  /** Told of each key that is made or revoked, before the caller is. A key whose making it fails to record is not made. */
  onAccess?(entry: Extract<AuditEntry, { event: 'access' }>): Promise<void> | void;
}

/** What a creation that was killed left behind is removed after this time, milliseconds. */
const LEFTOVER_MS = 60 * 60_000;
const LEFTOVER = /^\..*\.tmp$/;

/** @param folder where the keys' files lie, see `keysFolder` */
export function openKeyStore(folder: string, { onAccess }: KeyStoreOptions = {}): KeyStore {
  async function list() {
    const keys: ApiKey[] = [];
    const unreadable: string[] = [];
    for (const name of (await fileNames()).filter(isKeyFile)) {
      const key = await readFile(join(folder, name), 'utf8').then(
        (text) => readKeyRecord(text, name),
        () => undefined,
      );
      if (key) keys.push(key);
      else unreadable.push(name);
    }
    return { keys: keys.sort((a, b) => (a.name < b.name ? -1 : 1)), unreadable };
  }

  async function fileNames(): Promise<string[]> {
    return readdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw unusable(folder, error);
    });
  }

  async function removeLeftovers(): Promise<void> {
    for (const name of (await fileNames()).filter((each) => LEFTOVER.test(each))) {
      const found = await stat(join(folder, name)).catch(() => undefined);
      if (found && Date.now() - found.mtimeMs > LEFTOVER_MS) await rm(join(folder, name), { force: true });
    }
  }

  return {
    async create({ name, scopes, expiresMs, requestsPerMinute }) {
      checkKeyName(name);
      const { id, text } = newApiKey();
      const key: ApiKey = {
        id,
        name,
        scopes,
        hash: hashApiKey(text),
        createdMs: Date.now(),
        expiresMs,
        requestsPerMinute,
      };
      const temporary = join(folder, `.${id}.${randomBytes(6).toString('hex')}.tmp`);
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await removeLeftovers();
        await writeDurably(temporary, writeKeyRecord(key));
        await link(temporary, join(folder, keyFileName(name)));
        await syncFolder(folder);
      } catch (thrown) {
        const error = thrown as NodeJS.ErrnoException;
        if (error.code !== 'EEXIST') throw unusable(folder, error);
        throw new Failure('conflict', `There is a key named "${name}" already.`, {
          hint: `Choose another name, or revoke it first: \`mcp-python keys revoke ${name}\`.`,
        });
      } finally {
        await rm(temporary, { force: true }).catch(() => {});
      }
      try {
        const until = expiresMs === undefined ? 'for good' : `until ${new Date(expiresMs).toISOString()}`;
        const reason = `Key "${name}" with ${scopes.join(', ')}, ${until}.`;
        await onAccess?.({ event: 'access', what: 'key_created', principal: keyPrincipal(key).id, reason });
      } catch (thrown) {
        await unlink(join(folder, keyFileName(name)));
        throw thrown;
      }
      return { key, text };
    },
    list,
    async revoke(nameOrId) {
      const { keys } = await list();
      const [found, other] = keys.filter(({ name, id }) => name === nameOrId || id === nameOrId);
      if (other) {
        throw new Failure('conflict', `"${nameOrId}" is the name of one key and the id of another.`, {
          hint: 'Revoke the one by its id, the other by its name: see `mcp-python keys list`.',
        });
      }
      if (!found) throw unknownKey(nameOrId);
      try {
        await unlink(join(folder, keyFileName(found.name)));
        await syncFolder(folder);
      } catch (thrown) {
        const error = thrown as NodeJS.ErrnoException;
        throw error.code === 'ENOENT' ? unknownKey(nameOrId) : unusable(folder, error);
      }
      const reason = `Key "${found.name}".`;
      await onAccess?.({ event: 'access', what: 'key_revoked', principal: keyPrincipal(found).id, reason });
      return found;
    },
  };
}

async function writeDurably(path: string, text: string): Promise<void> {
  await using file = await open(path, 'wx', 0o600);
  await file.writeFile(text);
  await file.sync();
}

/** What a folder holds is on the disk only once the folder is. */
async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r');
  await handle.sync();
}

function unknownKey(nameOrId: string): Failure {
  return new Failure('not_found', `There is no key with the name or id "${nameOrId}".`, {
    hint: 'See which there are with `mcp-python keys list`.',
  });
}

function unusable(folder: string, cause: Error): Failure {
  return new Failure('unavailable', `The keys in ${folder} cannot be used: ${cause.message}`, {
    hint: 'Make the folder writable, or choose another with `state.directory`.',
    cause,
  });
}
