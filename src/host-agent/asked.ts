/**
 * What a request asks of this machine beyond what the guard decides on: whatever passes through the guard reaches the
 * machine through here, where it is made narrower, never wider.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type {
  Backend,
  BackendFiles,
  BackendJobs,
  Confinement,
  ExecRequest,
  HeldObject,
  JobLabel,
  Judge,
  ResourceLimits,
} from '../backends/backend.ts';
import { narrower } from '../backends/host-agent/wire.ts';
import { Failure } from '../errors.ts';

/** What one request asks. */
export interface Asked {
  /** The client's own confinement of the command. */
  readonly confinement?: Confinement | undefined;
  readonly limits?: ResourceLimits | undefined;
  /** The real path that the client judged: anything else is refused. */
  readonly realPath?: string | undefined;
  /** Told of each object that the guard has admitted, and of those in a folder that it does not conceal. */
  readonly onHeld?: (object: HeldObject) => void;
  readonly job?: { readonly attached: boolean; readonly label: JobLabel; readonly maxOutputBytes: number };
}

const asking = new AsyncLocalStorage<Asked>();

/** Runs the work of one request. */
export function withAsked<T>(asked: Asked, work: () => T): T {
  return asking.run(asked, work);
}

/** The machine as requests find it. */
export function asAsked(backend: Backend): Backend {
  return {
    ...backend,
    exec: (request, io) => backend.exec(narrowed(request), io),
    files: filesAsAsked(backend.files),
    ...(backend.jobs && { jobs: async () => jobsAsAsked((await backend.jobs?.()) as BackendJobs) }),
    [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
  };
}

function narrowed<R extends ExecRequest>(request: R): R {
  const asked = asking.getStore();
  const confinement = narrower(request.confinement, asked?.confinement);
  const limits = lower(request.limits, asked?.limits);
  return { ...request, ...(confinement && { confinement }), ...(limits && { limits }) };
}

function lower(own: ResourceLimits | undefined, asked: ResourceLimits | undefined): ResourceLimits | undefined {
  if (!own || !asked) return own ?? asked;
  return {
    memoryBytes: Math.min(own.memoryBytes, asked.memoryBytes),
    cpus: Math.min(own.cpus, asked.cpus),
    processes: Math.min(own.processes, asked.processes),
  };
}

function filesAsAsked(files: BackendFiles): BackendFiles {
  return {
    ...files,
    stat: (path, judge) => files.stat(path, judgeAsAsked(judge)),
    open: (path, judge) => files.open(path, judgeAsAsked(judge)),
    write: (path, data, options, judge) => files.write(path, data, options, judgeAsAsked(judge)),
    list: (path, options, judge) => files.list(path, options, judgeAsAsked(judge)),
    search: (request, signal, judge) => files.search(request, signal, judgeAsAsked(judge)),
  };
}

function judgeAsAsked(judge: Judge): Judge {
  const asked = asking.getStore();
  if (!asked) return judge;
  return {
    async admit(object) {
      await judge.admit(object);
      if (asked.realPath !== undefined && object.realPath !== asked.realPath) throw moved(asked.realPath);
      asked.onHeld?.(object);
    },
    async conceals(object) {
      if (await judge.conceals(object)) return true;
      if (object.kind !== 'missing') asked.onHeld?.(object);
      return false;
    },
  };
}

function moved(path: string): Failure {
  return new Failure('conflict', `${path} leads elsewhere now than when it was judged.`, {
    hint: 'Try again once nobody moves or replaces it any more.',
  });
}

function jobsAsAsked(jobs: BackendJobs): BackendJobs {
  return {
    ...jobs,
    start(request) {
      const { job } = asking.getStore() ?? {};
      const maxOutputBytes = Math.min(request.maxOutputBytes, job?.maxOutputBytes ?? Number.POSITIVE_INFINITY);
      return jobs.start({ ...narrowed(request), ...job, maxOutputBytes });
    },
  };
}
