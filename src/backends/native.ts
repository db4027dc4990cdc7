import type { Backend, Enforcement } from './backend.ts';
import type { Limiter } from './limits/limiter.ts';
import type { NativeJobs } from './native-jobs.ts';
import { createReaper } from './reaper.ts';
import type { Refusal } from './sandbox/network-proxy.ts';
import { createProxyPool } from './sandbox/proxy-pool.ts';

/**
 * @param jobsFolder where commands that outlive their call are kept, absolute; absent: there are none
 * @param onRefusedHost told of each connection that a sandbox's way to the network refuses
 */
export function createNativeBackend(jobsFolder?: string, onRefusedHost?: (refusal: Refusal) => void): Backend {
  const reaper = createReaper();
  const proxies = createProxyPool({ ...(onRefusedHost && { onRefusal: onRefusedHost }) });
  // Modules are loaded when they are first used: a server that only reads files never loads what runs commands.
  const system = () => import('./native-system.ts');
  const files = () => import('./native-files.ts').then(({ nativeFiles }) => nativeFiles);

  let opening: Promise<Limiter> | undefined;
  async function openLimiter(): Promise<Limiter> {
    const limiter = await (await import('./limits/limiter.ts')).openLimiter();
    reaper.own(limiter.homes);
    return limiter;
  }
  const limiter = () => {
    opening ??= openLimiter();
    return opening;
  };

  let keeping: Promise<NativeJobs> | undefined;
  async function openJobs(folder: string): Promise<NativeJobs> {
    const { createNativeJobs } = await import('./native-jobs.ts');
    let opened: Promise<Limiter> | undefined;
    const jobLimiter = () => {
      opened ??= import('./limits/limiter.ts').then(({ openJobLimiter }) => openJobLimiter());
      return opened;
    };
    return createNativeJobs(folder, jobLimiter, proxies);
  }
  let looking: Promise<Enforcement> | undefined;
  async function enforcement(): Promise<Enforcement> {
    const [{ notEnforced }, sandbox, { describeGaps }] = await Promise.all([
      limiter(),
      import('./sandbox/find-sandbox.ts').then(({ findSandbox }) => findSandbox()),
      import('./sandbox/gaps.ts'),
    ]);
    return {
      sandbox: 'reason' in sandbox ? undefined : `bubblewrap ${sandbox.version}`,
      notEnforced: [...describeGaps(undefined, sandbox), ...notEnforced],
    };
  }

  return {
    name: 'native',
    async exec(request, io) {
      const { execNative } = await import('./native-exec.ts');
      return execNative(request, io, { reaper, limiter, proxies });
    },
    files: {
      stat: async (path, judge) => (await files()).stat(path, judge),
      resolve: async (path) => (await files()).resolve(path),
      open: async (path, judge) => (await files()).open(path, judge),
      write: async (path, data, options, judge) => (await files()).write(path, data, options, judge),
      list: async (path, options, judge) => (await files()).list(path, options, judge),
      search: async (request, signal, judge) => (await files()).search(request, signal, judge),
      otherPlaces: async (path) => (await files()).otherPlaces?.(path) ?? [],
      linkedFiles: async (paths) => (await files()).linkedFiles?.(paths) ?? new Set(),
    },
    ...(jobsFolder !== undefined && {
      jobs() {
        keeping ??= openJobs(jobsFolder);
        return keeping;
      },
    }),
    enforcement() {
      looking ??= enforcement();
      return looking;
    },
    which: async (name, path) => (await system()).nativeWhich(name, path),
    info: async () => (await system()).nativeInfo(),
    status: async (signal) => (await system()).nativeStatus(signal),
    async health() {
      const startedMs = performance.now();
      const found = await (await system()).nativeWhich('/bin/sh', '');
      const latencyMs = Math.round(performance.now() - startedMs);
      return found ? { ok: true, latencyMs } : { ok: false, latencyMs, message: 'There is no /bin/sh.' };
    },
    async [Symbol.asyncDispose]() {
      (await keeping)?.close();
      await (await opening?.catch(() => undefined))?.close();
      await proxies[Symbol.asyncDispose]();
    },
  };
}
