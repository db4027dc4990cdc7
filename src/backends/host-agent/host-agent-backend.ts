/** A machine through its host agent, which guards it with a policy of its own. */
import { Failure, toFailure } from '../../errors.ts';
import type {
  Backend,
  Enforcement,
  ExecIO,
  ExecRequest,
  ExecResult,
  Surroundings,
  SystemInfo,
  SystemStatus,
} from '../backend.ts';
import { createOutputCapture } from '../output-capture.ts';
import { connectHostAgent } from './connection.ts';
import { createHostAgentFiles } from './host-agent-files.ts';
import { createHostAgentJobs, type HostAgentJobs } from './host-agent-jobs.ts';
import type { HostAgentTarget } from './http-channel.ts';
import {
  type Capabilities,
  decodeBytes,
  decodeExecResult,
  encodeBytes,
  type HostInfo,
  PROTOCOL,
  type WireExec,
  type WireExecResult,
} from './wire.ts';

/** Connects with the first use. */
export function createHostAgentBackend(target: HostAgentTarget): Backend {
  const agent = connectHostAgent(target);
  let checking: Promise<Capabilities> | undefined;
  let looking: Promise<Enforcement> | undefined;
  let info: Promise<SystemInfo & HostInfo> | undefined;
  let jobs: HostAgentJobs | undefined;

  /** Before anything else is asked for. @throws Failure `unsupported` for an agent of another version */
  function check(): Promise<Capabilities> {
    checking ??= agent.look<Capabilities>('GET', '/capabilities').then((found) => {
      if (found.protocol !== PROTOCOL) throw otherVersion(target.name, found);
      return found;
    });
    checking.catch(() => {
      checking = undefined;
    });
    return checking;
  }

  function describe(): Promise<SystemInfo & HostInfo> {
    info ??= check().then(() => agent.look('GET', '/info'));
    info.catch(() => {
      info = undefined;
    });
    return info;
  }

  return {
    name: target.name,
    async surroundings(): Promise<Surroundings> {
      return (await describe()).surroundings;
    },
    exec: (request, io) => execute(agent, request, io),
    files: createHostAgentFiles(agent),
    async jobs() {
      if (!(await check()).jobs) throw new Failure('unsupported', `Commands on ${target.name} cannot outlive their call.`);
      jobs ??= createHostAgentJobs(agent);
      return jobs;
    },
    enforcement() {
      looking ??= agent.look<Enforcement>('GET', '/enforcement').then(({ sandbox, notEnforced }) => ({ sandbox, notEnforced }));
      looking.catch(() => {
        looking = undefined;
      });
      return looking;
    },
    which: (name, path) => agent.look('POST', '/which', { name, path }),
    async info() {
      const { surroundings: _, ...system } = await describe();
      return system;
    },
    status: (signal) => agent.look<SystemStatus>('GET', '/status', undefined, signal),
    async health() {
      const startedMs = performance.now();
      const latencyMs = () => Math.round(performance.now() - startedMs);
      try {
        await agent.health();
        await check();
        return { ok: true, latencyMs: latencyMs() };
      } catch (thrown) {
        return { ok: false, latencyMs: latencyMs(), message: toFailure(thrown).message };
      }
    },
    async [Symbol.asyncDispose]() {
      jobs?.close();
      agent.close();
    },
  };
}

const NOTHING = { head: new Uint8Array(), tail: new Uint8Array(), totalBytes: 0, omittedBytes: 0 };

async function execute(
  agent: ReturnType<typeof connectHostAgent>,
  { stdin, ...request }: ExecRequest,
  { signal, onOutput }: ExecIO,
): Promise<ExecResult> {
  const cancelled = { outcome: 'cancelled', exitCode: null, signal: null, resources: {} } as const;
  if (signal.aborted) return { ...cancelled, durationMs: 0, stdout: NOTHING, stderr: NOTHING };
  const startedMs = performance.now();
  const captures = { stdout: createOutputCapture(request.maxOutputBytes), stderr: createOutputCapture(request.maxOutputBytes) };
  const body: WireExec = { ...request, ...(stdin && { stdin: encodeBytes(stdin) }), stream: onOutput !== undefined };
  try {
    const result = await agent.act<WireExecResult>('/execute', body, {
      signal,
      onFrame(frame) {
        if (!('output' in frame)) return;
        const data = decodeBytes(frame.data);
        captures[frame.output].add(data);
        onOutput?.(frame.output, data);
      },
    });
    const { notEnforced: _, ...rest } = result;
    return decodeExecResult(rest);
  } catch (thrown) {
    // Cancelled, and the agent does not say how it ended: it ends what nobody listens to.
    if (!signal.aborted || !(thrown instanceof Failure) || thrown.code !== 'cancelled') throw thrown;
    const durationMs = Math.round(performance.now() - startedMs);
    return { ...cancelled, durationMs, stdout: captures.stdout.result(), stderr: captures.stderr.result() };
  }
}

function otherVersion(name: string, { protocol, version }: Capabilities): Failure {
  return new Failure(
    'unsupported',
    `${name} is mcp-python ${version}, which speaks version ${protocol} of the protocol, not ${PROTOCOL}.`,
    {
      hint: 'Install the same version of mcp-python on both machines.',
    },
  );
}
