/** The process of a user: does on this machine what the agent tells it, with the rights of the user it runs as. */
import type { BackendJobs, HeldObject, JobWatch, Judge, OpenFile } from '../backends/backend.ts';
import { decodeFailure, encodeFailure } from '../backends/host-agent/wire.ts';
import { createNativeBackend } from '../backends/native.ts';
import { nativeFiles } from '../backends/native-files.ts';
import { Failure, toFailure } from '../errors.ts';
import { foldPath, isBelow } from '../guard/own-places.ts';
import type { FromUser, ToUser } from './user-channel.ts';

interface Context {
  readonly call: number;
  readonly judge: Judge;
  readonly signal: AbortSignal;
}

type Method = (context: Context, ...args: never[]) => Promise<unknown>;

/** What files are made with, as after a login: that of the agent is for its own files. */
const UMASK = 0o022;

/** Runs until the agent is gone; what still runs ends with it. */
export function runUserProcess(): void {
  process.umask(UMASK);
  const send = (message: FromUser) => void process.send?.(message, undefined, undefined, () => {});
  const running = new Map<number, AbortController>();
  const asked = new Map<number, (refused: Failure | undefined) => void>();
  let next = 0;
  let methods: Readonly<Record<string, Method>> = {};
  let stop: () => Promise<void> = async () => {};
  let protectedPaths: readonly string[] = [];

  const judgeOf = (call: number): Judge => ({
    admit: (object) =>
      new Promise((resolve, reject) => {
        const ask = next++;
        asked.set(ask, (refused) => (refused ? reject(refused) : resolve()));
        send({ ask, call, object });
      }),
    conceals: ({ realPath }: HeldObject) => protectedPaths.some((place) => isBelow(foldPath(realPath), place)),
  });

  async function run(call: number, method: string, args: readonly unknown[]): Promise<void> {
    const abort = new AbortController();
    running.set(call, abort);
    try {
      const work = Object.hasOwn(methods, method) ? methods[method] : undefined;
      if (!work) throw new Failure('internal', `There is no method ${method}.`);
      const context = { call, judge: judgeOf(call), signal: abort.signal };
      send({ answer: call, value: await work(context, ...(args as never[])) });
    } catch (thrown) {
      send({ answer: call, failure: encodeFailure(toFailure(thrown)) });
    } finally {
      running.delete(call);
    }
  }

  process.on('message', (message: ToUser) => {
    if ('begin' in message) {
      void Promise.all(message.begin.protectedPaths.map((path) => nativeFiles.resolve(path).catch(() => path))).then((real) => {
        protectedPaths = [...message.begin.protectedPaths, ...real].map(foldPath);
        ({ methods, stop } = createMethods(message.begin.jobsFolder, send));
        send({ ready: true });
      });
    } else if ('call' in message) void run(message.call, message.method, message.args);
    else if ('abort' in message) running.get(message.abort)?.abort();
    else if ('verdict' in message) {
      asked.get(message.verdict)?.(message.refused && decodeFailure(message.refused));
      asked.delete(message.verdict);
    }
  });
  process.once('disconnect', () => {
    for (const each of running.values()) each.abort();
    void stop().finally(() => process.exit());
    // What does not end by itself is found by the mark it carries.
    setTimeout(() => process.exit(), LAST_MS).unref();
  });
  // Signals of the service manager are for the agent, which then ends us.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
}

/** How long what runs may take to end when the agent is gone, milliseconds. */
const LAST_MS = 3000;

function createMethods(jobsFolder: string, send: (message: FromUser) => void) {
  const backend = createNativeBackend(jobsFolder);
  const files = new Map<number, OpenFile>();
  const watches = new Map<number, JobWatch>();
  let next = 0;
  const ongoing = new Set<Promise<unknown>>();
  const jobs = async () => (await backend.jobs?.()) as BackendJobs;
  const find = <T>(map: ReadonlyMap<number, T>, id: number): T => {
    const found = map.get(id);
    if (!found) throw new Failure('conflict', 'It is not open any more.');
    return found;
  };

  const methods: Readonly<Record<string, Method>> = {
    exec({ call, signal }, request: Parameters<typeof backend.exec>[0], streams: boolean) {
      const onOutput = (stream: 'stdout' | 'stderr', data: Uint8Array) => send({ output: call, stream, data });
      const going = backend.exec(request, { signal, ...(streams && { onOutput }) });
      ongoing.add(going);
      return going.finally(() => ongoing.delete(going));
    },
    'files.stat': ({ judge }, path: string) => backend.files.stat(path, judge),
    'files.resolve': (_, path: string) => backend.files.resolve(path),
    async 'files.open'({ judge }, path: string) {
      const file = await backend.files.open(path, judge);
      files.set(next, file);
      return { file: next++, info: file.info };
    },
    'file.read': async (_, id: number, position: number, length: number) => find(files, id).read(position, length),
    async 'file.close'(_, id: number) {
      const file = find(files, id);
      files.delete(id);
      await file[Symbol.asyncDispose]();
    },
    'files.write': ({ judge }, path: string, data: Uint8Array, options: Parameters<typeof backend.files.write>[2]) =>
      backend.files.write(path, data, options, judge),
    'files.list': ({ judge }, path: string, options: Parameters<typeof backend.files.list>[1]) =>
      backend.files.list(path, options, judge),
    'files.search': ({ judge, signal }, request: Parameters<typeof backend.files.search>[0]) =>
      backend.files.search(request, signal, judge),
    'files.otherPlaces': async (_, path: string) => backend.files.otherPlaces?.(path) ?? [],
    'files.linkedFiles': async (_, paths: readonly string[]) => backend.files.linkedFiles?.(paths) ?? new Set(),
    'jobs.start': async (_, request: Parameters<BackendJobs['start']>[0]) => (await jobs()).start(request),
    'jobs.detach': async (_, id: string) => (await jobs()).detach(id),
    'jobs.list': async () => (await jobs()).list(),
    'jobs.get': async (_, id: string) => (await jobs()).get(id),
    'jobs.read': async (_, ...args: Parameters<BackendJobs['read']>) => (await jobs()).read(...args),
    async 'jobs.watch'(_, id: string) {
      watches.set(next, (await jobs()).watch(id));
      return next++;
    },
    'watch.changed': async (_, id: number, maxMs: number) => find(watches, id).changed(maxMs),
    async 'watch.close'(_, id: number) {
      find(watches, id)[Symbol.dispose]();
      watches.delete(id);
    },
    'jobs.untilEnd': async (_, id: string) => (await jobs()).untilEnd(id),
    'jobs.write': async ({ signal }, id: string, data: Uint8Array) => (await jobs()).write(id, data, signal),
    'jobs.closeInput': async (_, id: string) => (await jobs()).closeInput(id),
    'jobs.signal': async (_, id: string, name: string) => (await jobs()).signal(id, name),
    'jobs.cancel': async (_, id: string) => (await jobs()).cancel(id),
    'jobs.claimEnd': async (_, id: string) => (await jobs()).claimEnd(id),
    'jobs.returnEnd': async (_, id: string) => (await jobs()).returnEnd(id),
    'jobs.remove': async (_, id: string) => (await jobs()).remove(id),
    enforcement: () => backend.enforcement(),
    which: (_, name: string, path: string) => backend.which(name, path),
    info: () => backend.info(),
    status: ({ signal }) => backend.status(signal),
    health: () => backend.health(),
  };
  return {
    methods,
    async stop() {
      await Promise.allSettled(ongoing);
      await backend[Symbol.asyncDispose]();
    },
  };
}
