/** The host agent: the service itself (`host_agent`), and the agents that a server can use (`host_agents`). */
import { z } from 'zod';
import { bytes, count, MEBIBYTE, PROFILES, ruleSchema, seconds, strings } from './value-schemas.ts';

/** Keys of the section whose values are paths. */
export const HOST_AGENT_PATH_KEYS = [
  'host_agent.socket',
  'host_agent.tls.certificate_file',
  'host_agent.tls.key_file',
  'host_agent.tls.client_ca_file',
  'host_agent.workspace',
  'host_agent.path_restrictions',
] as const;

/** The agent itself. */
export const hostAgentSection = z
  .strictObject({
    socket: z
      .string()
      .default('')
      .describe(
        'Unix socket the agent listens on; empty for `/run/mcp-python/host-agent.sock` as root, `host-agent.sock` in `$XDG_RUNTIME_DIR/mcp-python` or the state folder for others. Systemd can hand over another.',
      ),
    socket_group: z.string().default('').describe('Group that may use the socket, whose mode is 0660; empty for our own group.'),
    allowed_peers: strings()
      .default([])
      .describe(
        'Users that may connect to the socket, where the system tells who does (Linux, with `ss`). Empty: whom its mode lets.',
      ),
    host: z
      .string()
      .default('')
      .describe('Address to listen on with TLS as well; empty: the socket only. It takes `tls.certificate_file`.'),
    port: count(65_535, 0).default(8002).describe('Port for TLS; 0 takes any free one.'),
    tls: z
      .strictObject({
        certificate_file: z.string().default('').describe('Certificate of the agent with its chain, PEM.'),
        key_file: z.string().default('').describe('Its private key, PEM.'),
        client_ca_file: z
          .string()
          .default('')
          .describe(
            'Certificates that those of clients are signed by, PEM. Without it clients need an API key of `mcp-python keys`.',
          ),
      })
      .prefault({})
      .describe('TLS of the agent; read again at SIGHUP.'),
    users: strings()
      .default([])
      .describe(
        'Users that commands are run as and files are used as; the first where a client names none. As root it must be set: `root` is none of them unless it is named.',
      ),
    profile: z
      .enum(PROFILES)
      .default('read-only')
      .describe('Rules that hold where nothing else is said, as in `execution.security.profile`.'),
    allowed_commands: strings()
      .default([])
      .describe('The only programs that may run, by name or path. Empty: all that nothing speaks against.'),
    blocked_commands: strings().default([]).describe('Programs that may not run; stronger than every other rule.'),
    rules: z
      .array(ruleSchema)
      .default([])
      .describe('Rules for particular commands, backends (`native:deploy`: as that user) or clients.'),
    sandbox: z
      .enum(['auto', 'required', 'off'])
      .default('auto')
      .describe('Run commands in a sandbox, as in `execution.security.sandbox`. A client can only ask for more.'),
    network_hosts: strings().default([]).describe('Hosts that sandboxed commands may reach; none, or `*` for the whole network.'),
    workspace: z
      .string()
      .default('')
      .describe('Folder that relative paths start from and that may be written to; empty for the home directory of the user.'),
    path_restrictions: strings()
      .default([])
      .describe('Folders that reading, writing and working directories are confined to. Empty: as in `execution.security`.'),
    max_concurrent: count(10_000).default(64).describe('Requests that run at once; one more gets 429.'),
    max_body_bytes: bytes(1024 * MEBIBYTE)
      .prefault(64 * MEBIBYTE)
      .describe('Largest request, bytes; a larger one gets 413.'),
    replay_window: seconds(1)
      .prefault(300)
      .describe(
        'How far the time of a request may be from ours, seconds. So long, and as long again, no key of a request runs twice.',
      ),
  })
  .prefault({})
  .describe('The host agent, `mcp-python host-agent`. Limits of commands and jobs are those of `execution`.');

const path = () => z.string().regex(/^\//);

const hostAgentSchema = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/),
  socket: path().optional(),
  url: z
    .string()
    .regex(/^https:\/\/[^/?#]+\/?$/)
    .optional(),
  user: z.string().min(1).optional(),
  token_file: path().optional(),
  ca_file: path().optional(),
  certificate_file: path().optional(),
  key_file: path().optional(),
  server_name: z.string().min(1).optional(),
});

/** The agents that a server can use. */
export const hostAgentsSection = z
  .array(hostAgentSchema)
  .default([])
  .describe(
    'Host agents for `backend: host_agent:NAME`: each with `name`, `socket` or `url` (`https://host:8002`), `user` (whom commands run as), and for TLS `token_file`, `ca_file`, `certificate_file`, `key_file`, `server_name`; all files absolute. Empty: the agent at the default socket.',
  );

/** One agent that a server can use. */
export type HostAgentEntry = z.output<typeof hostAgentSchema>;
/** The section `host_agent`. */
export type HostAgentSettings = z.output<typeof hostAgentSection>;
