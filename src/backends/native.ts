import type { Backend, Enforcement } from './backend.ts';
import type { Limiter } from './limits/limiter.ts';
import { createReaper } from './reaper.ts';

/** This machine, with the rights of this process. */
export function createNativeBackend(): Backend {
  const reaper = createReaper();
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

  let looking: Promise<Enforcement> | undefined;
  async function enforcement(): Promise<Enforcement> {
    const { notEnforced } = await limiter();
    return { sandbox: undefined, notEnforced: ['commands run with all the rights of mcp-python itself', ...notEnforced] };
  }

  return {
    name: 'native',
    async exec(request, io) {
      const { execNative } = await import('./native-exec.ts');
      return execNative(request, io, { reaper, limiter });
    },
    files: {
      stat: async (path) => (await files()).stat(path),
      resolve: async (path) => (await files()).resolve(path),
      open: async (path) => (await files()).open(path),
      write: async (path, data, options) => (await files()).write(path, data, options),
      list: async (path, options) => (await files()).list(path, options),
      search: async (request, signal) => (await files()).search(request, signal),
    },
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
    async [Symbol.asyncDispose]() {},
  };
}
