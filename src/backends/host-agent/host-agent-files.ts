/**
 * Files through a host agent. It holds what it finds, as native files do, and tells what it holds; the judge of this side
 * is asked with that before anything is handed on. What is changed is judged before: by its real path, which the agent
 * then insists on.
 */

import { Failure } from '../../errors.ts';
import type { BackendFiles, FileInfo, HeldObject, Judge, OpenFile } from '../backend.ts';
import type { HostAgentConnection } from './connection.ts';
import { createResolver } from './resolve-paths.ts';
import { decodeBytes, encodeBytes, type Told, type WireListing } from './wire.ts';

/** Bytes read at once. */
const PIECE_BYTES = 4 * 1024 ** 2;

/** Files over a connection to an agent. */
export function createHostAgentFiles(agent: HostAgentConnection): BackendFiles {
  const { resolve, lookedAt } = createResolver(agent);

  /** Where a path leads, if the judge agrees. What the agent says of a path is not told before. */
  async function judgedPlace(path: string, judge: Judge): Promise<string> {
    const realPath = await judged(path, judge, resolve(path));
    await judge.admit({ realPath, kind: 'missing' });
    return realPath;
  }

  /** The answer; or its failure, once the judge has agreed to the path being looked at. */
  async function judged<T>(path: string, judge: Judge, answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (thrown) {
      const about = thrown instanceof Failure && ['not_found', 'invalid_input', 'denied'].includes(thrown.code);
      if (about) await judge.admit({ realPath: await nearestPlace(path), kind: 'missing' });
      throw thrown;
    }
  }

  async function nearestPlace(path: string): Promise<string> {
    const place = await resolve(path).catch(() => undefined);
    return place ?? (path === '/' ? path : nearestPlace(path.slice(0, path.lastIndexOf('/')) || '/'));
  }

  async function look<T>(endpoint: string, path: string, judge: Judge, more: object = {}): Promise<Told<T>> {
    return judged(path, judge, agent.look<Told<T>>('POST', endpoint, { path, ...more }));
  }

  return {
    async stat(path, judge) {
      const { object, value } = lookedAt(path) ?? (await look<FileInfo>('/files/stat', path, judge));
      await judge.admit(object);
      return value;
    },
    resolve,
    async open(path, judge) {
      const { object, value } = await look<{ file: string; info: FileInfo }>('/files/open', path, judge);
      return openFile(agent, value, object, judge);
    },
    async write(path, data, { createParents, ifVersion }, judge) {
      const realPath = await judgedPlace(path, judge);
      const body = { path, realPath, data: encodeBytes(data), createParents, ...(ifVersion !== undefined && { ifVersion }) };
      return agent.act<FileInfo>('/files/write', body);
    },
    async list(path, options, judge) {
      const { object, value } = await look<WireListing>('/files/list', path, judge, options);
      await judge.admit(object);
      const entries: FileInfo[] = [];
      for (const entry of value.entries) if (!(await judge.conceals(entry.object))) entries.push(entry.value);
      return { entries, truncated: value.truncated };
    },
    async search({ directory, glob, extensions, content, ...request }, signal, judge) {
      const realPath = await judgedPlace(directory, judge);
      const body = {
        ...{ ...request, directory, realPath },
        ...(glob !== undefined && { glob }),
        ...(extensions && { extensions }),
        ...(content !== undefined && { content }),
      };
      const found = await agent.look<Awaited<ReturnType<BackendFiles['search']>>>('POST', '/files/search', body, signal);
      const matches = [];
      for (const match of found.matches) {
        const object = { realPath: `${realPath === '/' ? '' : realPath}/${match.path}`, kind: 'missing' } as const;
        if (!(await judge.conceals(object))) matches.push(match);
      }
      return { ...found, matches };
    },
  };
}

async function openFile(
  agent: HostAgentConnection,
  { file, info }: { readonly file: string; readonly info: FileInfo },
  object: HeldObject,
  judge: Judge,
): Promise<OpenFile> {
  const close = () => agent.look('POST', '/files/close', { file });
  try {
    await judge.admit(object);
  } catch (thrown) {
    await close().catch(() => {});
    throw thrown;
  }
  return {
    info,
    async read(position, length) {
      const pieces: Uint8Array[] = [];
      for (let done = 0; done < length; ) {
        const wanted = Math.min(PIECE_BYTES, length - done);
        const piece = decodeBytes(await agent.look('POST', '/files/read', { file, position: position + done, length: wanted }));
        pieces.push(piece);
        done += piece.byteLength;
        if (piece.byteLength < wanted) break;
      }
      return pieces.length === 1 ? (pieces[0] as Uint8Array) : Buffer.concat(pieces);
    },
    // It is closed there by itself when nobody reads it.
    [Symbol.asyncDispose]: () =>
      close().then(
        () => {},
        () => {},
      ),
  };
}
