import { nearestName } from '../config/nearest-name.ts';
import { Failure } from '../errors.ts';
import type { Backend } from './backend.ts';

/** Every kind of backend; a new one is its file and one line here. */
const LOADERS: Readonly<Record<string, (options: BackendOptions) => Promise<Backend>>> = {
  native: async ({ jobsFolder }) => (await import('./native.ts')).createNativeBackend(jobsFolder),
};

export interface BackendOptions {
  /** Where commands that outlive their call are kept, absolute; absent: there are none. */
  readonly jobsFolder?: string;
}

export interface BackendTable extends AsyncDisposable {
  /**
   * The backend of this name, made when it is first asked for.
   * @throws Failure `not_found` that lists the names there are.
   */
  get(name: string): Promise<Backend>;
}

export function createBackendTable(options: BackendOptions = {}): BackendTable {
  const made = new Map<string, Promise<Backend>>();
  return {
    async get(name) {
      const load = Object.hasOwn(LOADERS, name) ? LOADERS[name] : undefined;
      if (!load) {
        const known = Object.keys(LOADERS);
        const near = nearestName(name, known);
        throw new Failure('not_found', `There is no backend named "${name}".`, {
          hint: near ? `Did you mean "${near}"?` : `Backends: ${known.join(', ')}.`,
        });
      }
      const backend = made.get(name) ?? load(options);
      made.set(name, backend);
      return backend;
    },
    async [Symbol.asyncDispose]() {
      for (const backend of made.values()) await (await backend)[Symbol.asyncDispose]();
    },
  };
}
