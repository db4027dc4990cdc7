/**
 * Files for clients. Whatever is found is judged here first, then told to the client with the object that was held, for
 * its own judge; what changes something, or takes long, is asked for again with the real path that was judged there.
 */
import { randomUUID } from 'node:crypto';
import type { HeldObject, OpenFile } from '../backends/backend.ts';
import {
  decodeBytes,
  encodeBytes,
  encodeFailure,
  type Resolved,
  type Told,
  type WireListing,
} from '../backends/host-agent/wire.ts';
import { Failure, toFailure } from '../errors.ts';
import { withAsked } from './asked.ts';
import { acts, type Endpoint, type HostCall, looks } from './endpoint.ts';
import * as requests from './requests.ts';

/** How long a file that nobody reads stays open, milliseconds. */
const IDLE_MS = 60_000;
/** Open files of one peer. */
const MAX_OPEN = 256;

interface Opened {
  readonly file: OpenFile;
  readonly owner: string;
  idle: NodeJS.Timeout;
}

/** @returns the endpoints, and what closes the files that are open */
export function createFileEndpoints(): { readonly endpoints: Readonly<Record<string, Endpoint>>; close(): Promise<void> } {
  const open = new Map<string, Opened>();

  async function close(id: string): Promise<void> {
    const opened = open.get(id);
    open.delete(id);
    clearTimeout(opened?.idle);
    await opened?.file[Symbol.asyncDispose]();
  }

  function closeWhenIdle(id: string): NodeJS.Timeout {
    return setTimeout(() => void close(id).catch(() => {}), IDLE_MS).unref();
  }

  function find(id: string, { principal }: HostCall): Opened {
    const opened = open.get(id);
    if (opened?.owner === principal.id) return opened;
    throw new Failure('conflict', 'The file is not open any more.', { hint: 'Open it again.' });
  }

  const endpoints = {
    '/files/resolve': looks(requests.paths, ({ paths, look }, { guarded }) =>
      Promise.all(
        paths.map(async (path) => {
          try {
            const realPath = await guarded.files.resolve(path);
            const seen = look ? await told(() => guarded.files.stat(realPath)).catch(() => undefined) : undefined;
            return { value: { realPath, ...(seen && { seen }) } satisfies Resolved };
          } catch (thrown) {
            return { failure: encodeFailure(toFailure(thrown)) };
          }
        }),
      ),
    ),
    '/files/stat': looks(requests.path, ({ path }, { guarded }) => told(() => guarded.files.stat(path))),
    '/files/open': looks(requests.path, async ({ path }, { guarded, principal }) => {
      if ([...open.values()].filter(({ owner }) => owner === principal.id).length >= MAX_OPEN) throw tooMany();
      const { object, value: file } = await told(() => guarded.files.open(path));
      const id = randomUUID();
      open.set(id, { file, owner: principal.id, idle: closeWhenIdle(id) });
      return { object, value: { file: id, info: file.info } };
    }),
    '/files/read': looks(requests.read, async ({ file: id, position, length }, call) => {
      const opened = find(id, call);
      clearTimeout(opened.idle);
      opened.idle = closeWhenIdle(id);
      return encodeBytes(await opened.file.read(position, length));
    }),
    '/files/close': looks(requests.close, async ({ file }, call) => {
      find(file, call);
      await close(file);
      return null;
    }),
    '/files/write': acts(requests.write, ({ path, realPath, data, createParents, ifVersion }, { guarded }) =>
      withAsked({ realPath }, () =>
        guarded.files.write(path, decodeBytes(data), { createParents, ...(ifVersion !== undefined && { ifVersion }) }),
      ),
    ),
    '/files/list': looks(requests.list, async ({ path, ...options }, { guarded }) => {
      const seen = new Map<string, HeldObject>();
      const { object, value } = await told(
        () => guarded.files.list(path, options),
        (each) => seen.set(each.realPath, each),
      );
      const entries = value.entries.map((info) => ({
        object: seen.get(info.path) ?? ({ realPath: info.path, kind: info.kind } as const),
        value: info,
      }));
      return { object, value: { entries, truncated: value.truncated } satisfies WireListing };
    }),
    '/files/search': looks(requests.search, ({ realPath, glob, extensions, content, ...request }, { guarded, signal }) =>
      withAsked({ realPath }, () =>
        guarded.files.search(
          {
            ...request,
            ...(glob !== undefined && { glob }),
            ...(extensions && { extensions }),
            ...(content !== undefined && { content }),
          },
          signal,
        ),
      ),
    ),
  };
  return {
    endpoints,
    async close() {
      for (const id of [...open.keys()]) await close(id).catch(() => {});
    },
  };
}

/** What finds something, with the object that was held first. */
async function told<T>(work: () => Promise<T>, onHeld?: (object: HeldObject) => void): Promise<Told<T>> {
  let object: HeldObject | undefined;
  const hear = (each: HeldObject) => {
    if (object) onHeld?.(each);
    object ??= each;
  };
  const value = await withAsked({ onHeld: hear }, work);
  return { object: object as HeldObject, value };
}

function tooMany(): Failure {
  return new Failure('unavailable', `${MAX_OPEN} files are open already.`, { details: { retry_after_seconds: 1 } });
}
