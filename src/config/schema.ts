/**
 * Every configuration key, its default and its doc line, once. The JSON Schema, the documentation tables, the
 * names of environment variables and `config init` are all made from it.
 */
import { z } from 'zod';
import { SESSION_VERSIONS } from '../protocol/versions.ts';

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1024,
  kb: 1024,
  kib: 1024,
  m: 1024 ** 2,
  mb: 1024 ** 2,
  mib: 1024 ** 2,
  g: 1024 ** 3,
  gb: 1024 ** 3,
  gib: 1024 ** 3,
};

/** Bytes as a number, or a number with a unit (`4MiB`, `2GB`); units are powers of 1024. */
const bytes = (minimum: number) =>
  z.preprocess((value) => {
    const match = typeof value === 'string' ? /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(value) : null;
    const unit = match ? UNITS[(match[2] ?? '').toLowerCase()] : undefined;
    return match && unit !== undefined ? Math.round(Number(match[1]) * unit) : value;
  }, z.number().int().min(minimum));

const positive = () => z.number().int().min(1);
const seconds = () =>
  z
    .number()
    .positive()
    .max(86_400 * 7);
const strings = () => z.array(z.string().min(1));

export const configSchema = z.strictObject({
  server: z
    .strictObject({
      version: z
        .enum(SESSION_VERSIONS)
        .default(SESSION_VERSIONS[0])
        .describe(
          'Newest MCP revision offered to clients that open a session with `initialize`. MCP 2026-07-28 is always served beside it.',
        ),
      mcp_http_host: z
        .string()
        .min(1)
        .default('127.0.0.1')
        .describe('Address `serve` listens on; only loopback until there is authentication.'),
      mcp_http_port: z.number().int().min(0).max(65_535).default(8001).describe('Port `serve` listens on; 0 takes any free one.'),
      allowed_origins: strings()
        .default([])
        .describe('Origins of web pages that may connect, beside pages served from this machine.'),
      allowed_hosts: strings().default([]).describe('Further names in the Host header, for a server behind a proxy.'),
      max_body_bytes: bytes(1024)
        .default(4 * 1024 * 1024)
        .describe('Largest request body, bytes.'),
      max_sessions: positive().default(2000).describe('Sessions at once; past it the longest idle one is ended.'),
      session_idle_seconds: seconds().default(1800).describe('Idle time after which a session ends, seconds.'),
      event_log_events: positive().default(1000).describe('Events kept per session so that a broken stream can be resumed.'),
      event_log_bytes: bytes(1024)
        .default(4 * 1024 * 1024)
        .describe('Bytes of events kept per session.'),
      keep_alive_seconds: seconds().default(15).describe('Interval of the signs of life on open event streams, seconds.'),
      sse_retry_ms: positive().default(1000).describe('How long clients wait before they reopen a stream, milliseconds.'),
      shutdown_grace_seconds: z
        .number()
        .min(0)
        .max(3600)
        .default(5)
        .describe('Time running calls get to end at shutdown, seconds.'),
      instructions: z.string().default('').describe('Guidance told to models; empty for the built-in text.'),
    })
    .prefault({})
    .describe('The MCP server.'),
  orchestrator: z
    .strictObject({
      agent_count: positive()
        .default(3)
        .describe('Agents kept ready. This version runs all calls in the server process and reports it as one agent.'),
      max_agents: positive()
        .default(8)
        .describe('Agents at most. Times `max_concurrent_tasks` it is the number of calls that run at once.'),
      max_concurrent_tasks: positive().default(10).describe('Calls at once per agent; more wait their turn.'),
      max_queue_size: z
        .number()
        .int()
        .min(0)
        .default(1000)
        .describe('Calls that may wait; one more is refused with `unavailable`.'),
      health_check_interval: seconds()
        .default(10)
        .describe('Interval of the health checks that `agents://status` shows, seconds.'),
    })
    .prefault({})
    .describe('How tool calls are run.'),
  execution: z
    .strictObject({
      mode: z.enum(['native']).default('native').describe('Where commands run and files are: `native` is this machine.'),
      timeout: seconds().default(300).describe('Upper limit of any tool call, seconds.'),
      workspace: z.string().default('').describe('Folder that relative paths start from; empty for the working directory.'),
      environment_passthrough: strings()
        .default([])
        .describe('Names of environment variables handed to commands beside the minimal set.'),
      security: z
        .strictObject({
          path_restrictions: strings()
            .default([])
            .describe(
              'Folders that reading, writing and working directories are confined to. Empty: reading anywhere, writing below the workspace and the temporary folder.',
            ),
          resource_limits: z
            .strictObject({
              max_execution_time: seconds().default(300).describe('Upper limit of one command, seconds.'),
              max_output: bytes(1024)
                .default(1024 * 1024)
                .describe('Bytes kept of each output stream of a command: half from its head, half from its tail.'),
            })
            .prefault({})
            .describe('Limits of each command.'),
        })
        .prefault({})
        .describe('What commands and file tools may touch.'),
    })
    .prefault({})
    .describe('Where and how commands run.'),
  tools: z
    .strictObject({
      disabled: strings().default([]).describe('Names of tools that are not offered.'),
    })
    .prefault({})
    .describe('The tools offered to clients.'),
  plugins: strings().default([]).describe('Files of plug-ins to load.'),
  log: z
    .strictObject({
      level: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('What is told on stderr: this level and worse.'),
    })
    .prefault({})
    .describe('Messages for people.'),
  state: z
    .strictObject({
      directory: z.string().default('').describe('Folder for keys and state; empty for `$XDG_STATE_HOME/mcp-python`.'),
    })
    .prefault({})
    .describe('What outlives the process.'),
});

/** The whole configuration with every default filled in. */
export type Config = z.output<typeof configSchema>;
