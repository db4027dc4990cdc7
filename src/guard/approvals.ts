/**
 * Leave that a person gives for one command: asked for by the running call, or waiting in a file for
 * `mcp-python approve`. It is bound to the exact command, backend and principal, and fails closed.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../errors.ts';

/** What leave is asked for. */
export interface ApprovalMatter {
  /** Script or argument vector. */
  readonly command: string;
  /** What else decides what the command does, a line each: working directory, added variables, standard input. */
  readonly circumstances: readonly string[];
  readonly backend: string;
  /** Id of the principal. */
  readonly principal: string;
  readonly tool: string;
  /** Why a person has to be asked. */
  readonly reason: string;
  /** Everything the leave is bound to, as one text. */
  readonly binding: string;
  readonly session?: string | undefined;
}

/** A matter that waits for a person, as it lies in its file. */
export interface PendingApproval extends Omit<ApprovalMatter, 'binding'> {
  /** 8 characters, for people to type. */
  readonly id: string;
  readonly digest: string;
  readonly createdMs: number;
  readonly expiresMs: number;
  readonly decision?: 'once' | 'session' | 'declined';
}

export interface Approvals {
  /** Uses up leave that was given for just this; undefined when there is none, or it was declined. */
  take(matter: ApprovalMatter): Promise<'once' | 'session' | 'declined' | undefined>;
  /** Leaves the matter for a person at a terminal. */
  submit(matter: ApprovalMatter): Promise<PendingApproval>;
  /** What waits and has not expired, oldest first. */
  pending(): Promise<readonly PendingApproval[]>;
  /** @throws Failure `not_found` for an id that does not wait (any more). */
  decide(id: string, decision: 'once' | 'session' | 'declined'): Promise<PendingApproval>;
  /** Remembers leave for the rest of a session, given through the client. */
  remember(matter: ApprovalMatter): void;
  /** Takes over what was remembered in another thread. */
  readonly recall: (leave: string) => void;
}

/**
 * @param folder where the matters lie, in the state folder
 * @param onRemember told of leave for a session, so that other threads can be
 */
export function createApprovals(folder: string, lifeSeconds: number, onRemember?: (leave: string) => void): Approvals {
  /** Leave for a session, by digest and session. */
  const remembered = new Set<string>();

  function remember(leave: string): void {
    remembered.add(leave);
    onRemember?.(leave);
  }

  async function all(): Promise<PendingApproval[]> {
    const names = await readdir(folder).catch(() => []);
    const read = await Promise.all(names.filter((name) => name.endsWith('.json')).map((name) => readMatter(join(folder, name))));
    const nowMs = Date.now();
    const kept: PendingApproval[] = [];
    for (const each of read) {
      if (!each) continue;
      if (each.expiresMs > nowMs) kept.push(each);
      else await rm(join(folder, `${each.id}.json`), { force: true });
    }
    return kept.sort((a, b) => a.createdMs - b.createdMs);
  }

  async function store(matter: PendingApproval): Promise<void> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, `${matter.id}.json`);
    const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
    await writeFile(temporary, JSON.stringify(matter), { mode: 0o600, flag: 'wx' });
    await rename(temporary, path);
  }

  return {
    async take(matter) {
      const digest = digestOf(matter);
      if (matter.session !== undefined && remembered.has(`${digest} ${matter.session}`)) return 'session';
      const found = (await all()).find((each) => each.digest === digest && each.decision !== undefined);
      if (!found?.decision) return undefined;
      if (found.decision === 'session' && found.session !== undefined && found.session === matter.session) {
        remember(`${digest} ${matter.session}`);
      }
      // Whoever removes the file has the leave: two calls at once do not both get it.
      const path = join(folder, `${found.id}.json`);
      const taken = await rename(path, `${path}.taken`).then(
        () => true,
        () => false,
      );
      await rm(`${path}.taken`, { force: true });
      return taken ? found.decision : undefined;
    },
    async submit(matter) {
      const digest = digestOf(matter);
      const waiting = (await all()).find((each) => each.digest === digest && each.decision === undefined);
      if (waiting) return waiting;
      const { binding: _, ...told } = matter;
      const createdMs = Date.now();
      const pending = {
        ...told,
        id: randomBytes(4).toString('hex'),
        digest,
        createdMs,
        expiresMs: createdMs + lifeSeconds * 1000,
      };
      await store(pending);
      return pending;
    },
    pending: async () => (await all()).filter(({ decision }) => decision === undefined),
    async decide(id, decision) {
      const found = (await all()).find((each) => each.id === id && each.decision === undefined);
      if (!found) {
        throw new Failure('not_found', `Nothing with the id ${id} waits for approval.`, {
          hint: 'See what waits with `mcp-python approve`. A request expires after `execution.security.approval_timeout`.',
        });
      }
      const decided = { ...found, decision };
      await store(decided);
      return decided;
    },
    remember(matter) {
      if (matter.session !== undefined) remember(`${digestOf(matter)} ${matter.session}`);
    },
    recall: (leave) => void remembered.add(leave),
  };
}

function digestOf({ binding, backend, principal }: ApprovalMatter): string {
  return createHash('sha256')
    .update(JSON.stringify([binding, backend, principal]))
    .digest('hex');
}

/** Undefined for a file that is none of ours, or half gone. */
async function readMatter(path: string): Promise<PendingApproval | undefined> {
  try {
    const read = JSON.parse(await readFile(path, 'utf8')) as PendingApproval;
    return typeof read.id === 'string' && typeof read.digest === 'string'
      ? { ...read, circumstances: read.circumstances ?? [] }
      : undefined;
  } catch {
    return undefined;
  }
}
