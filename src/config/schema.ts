/**
 * Every configuration key, its default and its doc line, once. The JSON Schema, the documentation tables, the
 * names of environment variables and `config init` are all made from it.
 */
import { z } from 'zod';
import { HOST_AGENT_PATH_KEYS, hostAgentSection, hostAgentsSection } from './host-agent-section.ts';
import { bytes, count, MAX_SECONDS, MEBIBYTE, PROFILES, ruleSchema, seconds, strings } from './value-schemas.ts';

/** MCP revisions with sessions, newest first. */
const SESSION_REVISIONS = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'] as const;

/** Keys whose values are paths: relative ones start at the folder of the file they stand in, `~` is the home directory. */
export const PATH_KEYS = [
  'execution.workspace',
  'execution.security.path_restrictions',
  'plugins',
  'state.directory',
  'audit.directory',
  ...HOST_AGENT_PATH_KEYS,
] as const;

export type PolicyRule = z.output<typeof ruleSchema>;

export const configSchema = z.strictObject({
  server: z
    .strictObject({
      version: z
        .enum(SESSION_REVISIONS)
        .default(SESSION_REVISIONS[0])
        .describe(
          'Newest MCP revision offered to clients that open a session with `initialize`. MCP 2026-07-28 is always served beside it.',
        ),
      mcp_http_host: z
        .string()
        .min(1)
        .default('127.0.0.1')
        .describe('Address `serve` listens on. Beyond loopback it needs API keys, see `mcp-python keys`.'),
      mcp_http_port: count(65_535, 0).default(8001).describe('Port `serve` listens on; 0 takes any free one.'),
      allowed_origins: strings()
        .default([])
        .describe('Origins of web pages that may connect, beside pages served from this machine.'),
      allowed_hosts: strings().default([]).describe('Further names in the Host header, for a server behind a proxy.'),
      max_body_bytes: bytes(1024 * MEBIBYTE)
        .prefault(4 * MEBIBYTE)
        .describe('Largest message: the body of an HTTP request, or a line on stdio, bytes.'),
      max_sessions: count(1_000_000).default(2000).describe('Sessions at once; past it the longest idle one is ended.'),
      session_idle_seconds: seconds().prefault(1800).describe('Idle time after which a session ends, seconds.'),
      event_log_events: count(1_000_000)
        .default(1000)
        .describe('Events kept per session so that a broken stream can be resumed.'),
      event_log_bytes: bytes(1024 * MEBIBYTE)
        .prefault(4 * MEBIBYTE)
        .describe('Bytes of events kept per session.'),
      keep_alive_seconds: seconds().prefault(15).describe('Interval of the signs of life on open event streams, seconds.'),
      sse_retry_ms: count(3_600_000).default(1000).describe('How long clients wait before they reopen a stream, milliseconds.'),
      shutdown_grace_seconds: seconds(0).prefault(5).describe('Time running calls get to end at shutdown, seconds.'),
      instructions: z.string().default('').describe('Guidance told to models; empty for the built-in text.'),
    })
    .prefault({})
    .describe('The MCP server.'),
  orchestrator: z
    .strictObject({
      agent_count: count(1000, 0)
        .default(3)
        .describe(
          'Agents, threads that run tool calls; each is started when there is work for it. 0 runs all in the server itself.',
        ),
      min_agents: count(1000).default(1).describe('Agents that stay when there has been nothing to do for long.'),
      max_agents: count(1000)
        .default(8)
        .describe(
          'Agents at most, when calls have to wait. Times `max_concurrent_tasks` it is the number of calls that run at once.',
        ),
      max_concurrent_tasks: count(1000).default(10).describe('Calls at once per agent; more wait their turn.'),
      agent_heap: bytes(64 * 2 ** 30)
        .prefault(256 * MEBIBYTE)
        .describe('Memory for the JavaScript objects of one agent; past it the agent is replaced.'),
      agent_idle_time: seconds()
        .prefault(300)
        .describe('Time without work after which an agent beyond `min_agents` ends, seconds.'),
      max_queue_size: count(1_000_000, 0).default(1000).describe('Calls that may wait; one more is refused with `unavailable`.'),
      max_durable_tasks: count(1000)
        .default(10)
        .describe('Durable tasks that one server runs at once; more wait in the state folder. MCP tasks may be as many again.'),
      task_retention: seconds()
        .prefault(MAX_SECONDS)
        .describe('How long a durable task that ended, or a project of which all have, can be looked at, seconds.'),
      health_check_interval: seconds()
        .prefault(10)
        .describe('Interval of the health checks of agents, seconds. One that has not answered by the next check is replaced.'),
    })
    .prefault({})
    .describe('How tool calls are run.'),
  execution: z
    .strictObject({
      mode: z
        .enum(['native', 'host_agent'])
        .default('native')
        .describe('Where commands run and files are: `native` is this machine, `host_agent` the first of `host_agents`.'),
      timeout: seconds().prefault(300).describe('Upper limit of any tool call, seconds.'),
      soft_limit: seconds()
        .prefault(50)
        .describe('How long a call waits for a command before that goes on as a job, seconds. Many clients give up after 60.'),
      jobs: z
        .strictObject({
          max_time: seconds()
            .prefault(86_400)
            .describe('Upper limit of a command started with `background`, seconds; all others have `max_execution_time`.'),
          max_running: count(10_000).default(100).describe('Jobs that run at once, of everybody.'),
          max_output: bytes(64 * 1024 * MEBIBYTE)
            .prefault(64 * MEBIBYTE)
            .describe('Bytes kept of each output stream of a job; of more only the last 64 KiB.'),
          retention: seconds().prefault(MAX_SECONDS).describe('How long a job that ended can be read, seconds.'),
        })
        .prefault({})
        .describe('Commands that outlive their call.'),
      workspace: z.string().default('').describe('Folder that relative paths start from; empty for the working directory.'),
      environment_passthrough: strings()
        .default([])
        .describe('Names of environment variables handed to commands beside the minimal set.'),
      security: z
        .strictObject({
          profile: z
            .enum(PROFILES)
            .default('developer')
            .describe(
              'Rules that hold where nothing else is said: `read-only` lets look, `developer` lets work and refuses what takes over or wrecks the machine, `unrestricted` refuses nothing.',
            ),
          command_validation: z
            .boolean()
            .default(true)
            .describe('Parse every command and decide on each program it runs. Off, only paths, limits and the sandbox hold.'),
          allowed_commands: strings()
            .default([])
            .describe('The only programs that may run, by name or path. Empty: all that nothing speaks against.'),
          blocked_commands: strings()
            .default([])
            .describe('Programs that may not run, by name or path; stronger than every other rule.'),
          rules: z
            .array(ruleSchema)
            .default([])
            .describe(
              'Rules for particular commands, tools, backends or principals; of those that apply the strictest wins over the profile.',
            ),
          approval_timeout: seconds().prefault(600).describe('How long a person may take to approve a command, seconds.'),
          sandbox: z
            .enum(['auto', 'required', 'off'])
            .default('auto')
            .describe(
              'Run commands in a sandbox (bubblewrap): `auto` where there is one, `required` refuses to run without, `off` never.',
            ),
          network_hosts: strings()
            .default([])
            .describe(
              'Hosts that sandboxed commands may reach: `registry.npmjs.org`, `*.github.com`, `host:port`. Empty: none; `*`: the whole network.',
            ),
          path_restrictions: strings()
            .default([])
            .describe(
              'Folders that reading, writing and working directories are confined to. Empty: reading anywhere, writing below the workspace and the temporary folder.',
            ),
          resource_limits: z
            .strictObject({
              max_memory: bytes(64 * 1024 ** 2 * MEBIBYTE)
                .prefault(4096 * MEBIBYTE)
                .describe('Memory of one command with all it starts, bytes.'),
              max_cpu: z
                .union([z.number(), z.string().regex(/^\d+(?:\.\d+)?$/)])
                .transform(Number)
                .pipe(z.number().min(0.01).max(4096))
                .prefault(4)
                .describe('CPU cores that one command with all it starts may use, fractions allowed.'),
              max_processes: count(1_000_000).default(512).describe('Processes and threads of one command at once.'),
              max_execution_time: seconds().prefault(300).describe('Upper limit of one command, seconds.'),
              max_output: bytes(256 * MEBIBYTE)
                .prefault(MEBIBYTE)
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
  host_agent: hostAgentSection,
  host_agents: hostAgentsSection,
  tools: z
    .strictObject({
      disabled: strings().default([]).describe('Names of tools that are not offered.'),
    })
    .prefault({})
    .describe('The tools offered to clients.'),
  plugins: strings()
    .default([])
    .describe('Files of plug-ins to load; relative ones start at the folder of the configuration file.'),
  authentication: z
    .strictObject({
      required: z
        .boolean()
        .default(false)
        .describe('Ask for an API key over HTTP on loopback too; beyond loopback it is always asked for.'),
      requests_per_minute: count(1_000_000).default(1200).describe('Requests of one API key in a minute; one more gets 429.'),
      concurrent_requests: count(100_000).default(50).describe('Requests of one API key at once; one more gets 429.'),
    })
    .prefault({})
    .describe('Who may connect over HTTP.'),
  connect: z
    .strictObject({
      api_key: z.string().default('').meta({ secret: true }).describe(
        // biome-ignore lint/suspicious/noTemplateCurlyInString: this is how references are written
        'API key for the server at a URL, as a reference (`${env:NAME}`, `${file:PATH}`); `MCP_PYTHON_API_KEY` is stronger.',
      ),
      wait_seconds: seconds(0)
        .prefault(45)
        .describe('How long a server that is away is waited for, seconds: less than clients wait for an answer, 60 as a rule.'),
    })
    .prefault({})
    .describe('The bridge to a running server, `stdio --connect`.'),
  audit: z
    .strictObject({
      enabled: z.boolean().default(true).describe('Record every call and every command.'),
      required: z
        .boolean()
        .default(false)
        .describe('Refuse every call whose record cannot be written. Off, the call is made and the failure told on stderr.'),
      directory: z.string().default('').describe('Folder of the audit log; empty for `audit` in the state folder.'),
      max_file_bytes: bytes(64 * 1024 * MEBIBYTE)
        .prefault(64 * MEBIBYTE)
        .describe('Size at which the audit log goes on in a new file, bytes.'),
      max_file_age: seconds().prefault(86_400).describe('Age at which the audit log goes on in a new file, seconds.'),
      keep_files: count(100_000)
        .default(90)
        .describe('Files of the audit log that are kept; the oldest goes first, and `audit verify` tells that it went.'),
    })
    .prefault({})
    .describe('The record of every call and every command.'),
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

/** For parsing once at start-up: zod would compile the schema first, which takes longer than reading it does. */
export const ONCE = { jitless: true } as const;
