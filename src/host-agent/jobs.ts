/** Jobs for clients. Each belongs to the peer that started it; on whose behalf is the client's own affair. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BackendJobs, Job } from '../backends/backend.ts';
import { decodeBytes, encodeBytes, encodeJob, type WireJob } from '../backends/host-agent/wire.ts';
import { noJob } from '../backends/jobs/job-folder.ts';
import { withAsked } from './asked.ts';
import { acts, type Endpoint, type HostCall, looks } from './endpoint.ts';
import { placeOf } from './execute.ts';
import * as requests from './requests.ts';

/** A job that ends with the connection it was started through, unless it is let go before. */
interface Attached {
  letGo(): void;
}

/** @param claims folder of what clients have claimed to tell, for the end of a job is told here and there */
export function createJobEndpoints(claims: string): Readonly<Record<string, Endpoint>> {
  const claim = (id: string) => join(claims, id);

  const attached = new Map<string, Attached>();

  /** Ends with the connection, with the job, or when the job is let go. */
  async function holdAttached({ id }: WireJob, call: HostCall): Promise<void> {
    const jobs = await rawJobs(call);
    const gone = new Promise<'gone'>((resolve) => {
      if (call.signal.aborted) resolve('gone');
      else call.signal.addEventListener('abort', () => resolve('gone'), { once: true });
    });
    const free = new Promise<'free'>((resolve) => attached.set(id, { letGo: () => resolve('free') }));
    const ended = jobs.untilEnd(id).then(() => 'ended' as const);
    const what = await Promise.race([gone, free, ended]);
    attached.delete(id);
    if (what === 'gone') await jobs.cancel(id).catch(() => {});
    if (what === 'ended') call.frames.send({ ended: true });
  }

  return {
    '/jobs/start': acts(
      requests.startJob,
      async ({ stdin, confinement, limits, label, attached: bound, maxOutputBytes, cwd, env, ...request }, call) => {
        const command = {
          ...request,
          ...placeOf(call.host, cwd, env),
          ...(stdin !== undefined && { stdin: decodeBytes(stdin) }),
        };
        const ours = { ...label, principal: ownerOf(call) + label.principal };
        const job = { attached: bound, label: ours, maxOutputBytes };
        const { job: started } = await withAsked({ confinement, limits, job }, async () =>
          (await call.guarded.jobs()).start(command),
        );
        return tell(started, call);
      },
      {
        streams: true,
        goOn: (job, request, call) => (request.attached ? holdAttached(job as WireJob, call) : Promise.resolve()),
      },
    ),
    '/jobs/list': looks(requests.nothing, async (_, call) => {
      const all = await (await rawJobs(call)).list();
      return all.filter((job) => isOf(job, call)).map((job) => tell(job, call));
    }),
    '/jobs/get': looks(requests.job, async ({ id }, call) => tell(await find(id, call), call)),
    '/jobs/read': looks(requests.readJob, async ({ id, stream, position, length }, call) => {
      await find(id, call);
      return encodeBytes(await (await rawJobs(call)).read(id, stream, position, length));
    }),
    '/jobs/changed': looks(requests.jobChange, async ({ id, maxMs, seen }, call) => {
      using watch = (await rawJobs(call)).watch(id);
      const { bytes, end } = await find(id, call);
      const same = seen && seen.stdout === bytes.stdout && seen.stderr === bytes.stderr && seen.ended === (end !== undefined);
      if (!seen || same) await watch.changed(maxMs);
      return null;
    }),
    '/jobs/detach': acts(requests.job, async ({ id }, call) => {
      await find(id, call);
      await (await rawJobs(call)).detach(id);
      attached.get(id)?.letGo();
      return null;
    }),
    '/jobs/write': acts(requests.feedJob, async ({ id, data }, call) => {
      await find(id, call);
      return (await rawJobs(call)).write(id, decodeBytes(data), call.signal);
    }),
    '/jobs/close-input': actsOn((jobs, id) => jobs.closeInput(id)),
    '/jobs/signal': acts(requests.signalJob, async ({ id, name }, call) => {
      await find(id, call);
      await (await rawJobs(call)).signal(id, name);
      return null;
    }),
    '/jobs/cancel': actsOn((jobs, id) => jobs.cancel(id)),
    '/jobs/claim-end': actsOn(async (_, id) => {
      await mkdir(claims, { recursive: true, mode: 0o700 });
      return writeFile(claim(id), '', { flag: 'wx', mode: 0o600 }).then(
        () => true,
        () => false,
      );
    }),
    '/jobs/return-end': actsOn((_, id) => rm(claim(id), { force: true })),
    '/jobs/remove': acts(requests.job, async ({ id }, call) => {
      const { label, end } = await find(id, call);
      if (end) await recordEnd(id, label.principal, call);
      await (await rawJobs(call)).remove(id);
      await rm(claim(id), { force: true });
      return null;
    }),
  };
}

function actsOn(act: (jobs: BackendJobs, id: string) => Promise<unknown>): Endpoint {
  return acts(requests.job, async ({ id }, call) => {
    await find(id, call);
    return (await act(await rawJobs(call), id)) ?? null;
  });
}

async function rawJobs({ host }: HostCall): Promise<BackendJobs> {
  return (await host.backend.jobs?.()) as BackendJobs;
}

/** Nothing goes before the audit log of the agent has its end. */
async function recordEnd(id: string, owner: string, { host, principal, signal }: HostCall): Promise<void> {
  const call = { principal: { ...principal, id: owner }, tool: 'jobs/remove', taskId: id, signal };
  await (await host.machine.forCall(call).jobs()).get(id);
}

/** What the principal of a job of this peer begins with. */
function ownerOf({ principal }: HostCall): string {
  return `${principal.id} `;
}

function isOf({ label }: Job, call: HostCall): boolean {
  return label.principal.startsWith(ownerOf(call));
}

async function find(id: string, call: HostCall): Promise<Job> {
  const job = await (await rawJobs(call)).get(id);
  if (!isOf(job, call)) throw noJob(id);
  return job;
}

/** As its client labelled it. */
function tell(job: Job, call: HostCall): WireJob {
  const { label } = job;
  return encodeJob({ ...job, label: { ...label, principal: label.principal.slice(ownerOf(call).length) } });
}
