/** Units for systemd, written from what the configuration asks for. Each gap in them says what needs it. */
import { dirname } from 'node:path';

/** What can be a service. */
export type Role = 'serve' | 'host-agent';

/** A file of systemd. */
export interface Unit {
  /** `mcp-python.service` */
  readonly name: string;
  readonly text: string;
}

/** What every unit is made of. */
export interface UnitOptions {
  /** Absolute path of the program with its first arguments, as ExecStart takes them. */
  readonly program: readonly string[];
  /** Configuration file, absolute; absent: the usual ones. */
  readonly config?: string | undefined;
  /** Of a user’s own service manager, which can do less. */
  readonly user: boolean;
  /** What LoadCredential takes: `name:path`. */
  readonly credentials: readonly string[];
  /** Addresses that may be reached beside this machine, or `any`. */
  readonly network: readonly string[];
  /** Further folders that commands may write to. */
  readonly writable: readonly string[];
}

/** What the units of `serve` are made of. */
export interface ServeOptions extends UnitOptions {
  /** Where systemd listens for the server. */
  readonly host: string;
  readonly port: number;
}

/** What the units of the host agent are made of. */
export interface HostAgentOptions extends UnitOptions {
  /** Where systemd listens for the agent. */
  readonly socket: string;
  readonly socketGroup: string;
  /** Commands may use the network, or the agent listens on it. */
  readonly networked: boolean;
  /** Homes and workspaces of the users that commands run as. */
  readonly places: readonly string[];
  /** Private key of TLS; empty where there is none. */
  readonly tlsKey: string;
}

/** Names of the units of a role: its socket, which starts the service when somebody comes, and the service. */
export function unitNames(role: Role): readonly string[] {
  const name = role === 'serve' ? 'mcp-python' : 'mcp-python-host-agent';
  return [`${name}.socket`, `${name}.service`];
}

/** Socket and service of `serve`. */
export function serveUnits(options: ServeOptions): readonly Unit[] {
  const { user, network, host, port } = options;
  const service = [
    '[Unit]',
    'Description=mcp-python, an MCP server that executes',
    'Documentation=man:mcp-python-serve(1)',
    'Requires=mcp-python.socket',
    'After=mcp-python.socket',
    '',
    '[Service]',
    ...lifeOf('serve', options),
    '# The configuration is read at the start only, so there is no ExecReload. A restart is nothing that clients notice:',
    '# the socket stays, and sessions go on.',
    '# Jobs outlive the server: what is left of other commands it ends itself.',
    'KillMode=process',
    ...(user
      ? []
      : [
          'DynamicUser=yes',
          'StateDirectory=mcp-python mcp-python-workspace',
          'StateDirectoryMode=0700',
          'Environment=MCP_PYTHON_STATE_DIRECTORY=%S/mcp-python',
          'WorkingDirectory=%S/mcp-python-workspace',
        ]),
    ...credentialsOf(options),
    '',
    ...(user ? userHardening() : [...hardening(options, [], 'its own'), '', ...reachOf(network)]),
    '',
    '[Install]',
    `WantedBy=${user ? 'default' : 'multi-user'}.target`,
    'Also=mcp-python.socket',
    '',
  ];
  const address = host.includes(':') ? `[${host}]` : host === 'localhost' ? '127.0.0.1' : host;
  const socket = socketUnit('mcp-python: the port of MCP', 'mcp-python-serve(1)', [`ListenStream=${address}:${port}`]);
  return [
    { name: 'mcp-python.socket', text: socket },
    { name: 'mcp-python.service', text: service.join('\n') },
  ];
}

/** What the server may reach by itself; who comes in comes by the socket that systemd holds. */
function reachOf(network: readonly string[]): string[] {
  const families = 'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK';
  if (network.length === 0) {
    return [
      '# Clients come in by the socket that systemd holds; of the network there is nothing else. Backends over SSH, tools that',
      '# ask other machines and `network_hosts` need it: `--network`. The sandbox of commands makes one of its own, by',
      '# AF_NETLINK, where servers of theirs can listen.',
      'PrivateNetwork=yes',
      families,
    ];
  }
  if (network.includes('any')) return ['# All of the network, by --network.', families];
  return [
    '# Of the network only this, by --network.',
    families,
    'IPAddressDeny=any',
    `IPAddressAllow=localhost ${network.join(' ')}`,
  ];
}

/** Socket and service of the host agent. */
export function hostAgentUnits(options: HostAgentOptions): readonly Unit[] {
  const { user, socket, socketGroup, networked, tlsKey } = options;
  const service = [
    '[Unit]',
    'Description=mcp-python host agent, which runs commands for servers',
    'Documentation=man:mcp-python-host-agent(8)',
    'Requires=mcp-python-host-agent.socket',
    'After=mcp-python-host-agent.socket',
    '',
    '[Service]',
    ...lifeOf('host-agent', options),
    '# Policy, users and certificates are read anew; what runs is not touched.',
    'ExecReload=/bin/kill -HUP $MAINPID',
    '# Jobs outlive the agent: what is left of others it ends itself.',
    'KillMode=process',
    ...(user
      ? []
      : [
          '# Users come through the folder of their jobs.',
          'StateDirectory=mcp-python-host-agent mcp-python-jobs',
          'StateDirectoryMode=0711',
          'Environment=MCP_PYTHON_STATE_DIRECTORY=%S/mcp-python-host-agent',
          "# Not root's own home, which it does not see.",
          'Environment=HOME=%S/mcp-python-host-agent',
        ]),
    ...credentialsOf(options),
    ...(tlsKey === '' || user
      ? []
      : [`LoadCredential=tls.key:${tlsKey}`, 'Environment=MCP_PYTHON_HOST_AGENT_TLS_KEY_FILE=%d/tls.key']),
    '',
    ...(user
      ? userHardening()
      : [
          '# It is root without what makes root mighty: it becomes the users that commands run as (SETUID, SETGID), ends their',
          '# processes (KILL) and makes folders for their jobs (CHOWN). To be told who connects to the socket, and to use',
          '# `host_agent.allowed_peers`, it needs CAP_SYS_PTRACE too; without it, the group of the socket decides.',
          ...hardening(options, ['CAP_SETUID', 'CAP_SETGID', 'CAP_KILL', 'CAP_CHOWN'], 'others'),
          '',
          ...(networked
            ? ['# The network: TLS, or commands that may use it.']
            : [
                '# Nothing of it uses the network. The sandbox of commands makes one of its own, by AF_NETLINK.',
                'PrivateNetwork=yes',
                'IPAddressDeny=any',
              ]),
          'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK',
        ]),
    '',
  ];
  const group = socketGroup === '' ? [] : [`SocketGroup=${socketGroup}`];
  const listening = [`ListenStream=${socket}`, 'SocketMode=0660', ...group, 'DirectoryMode=0755', 'RemoveOnStop=yes'];
  return [
    {
      name: 'mcp-python-host-agent.socket',
      text: socketUnit('Socket of the mcp-python host agent', 'mcp-python-host-agent(8)', listening),
    },
    { name: 'mcp-python-host-agent.service', text: service.join('\n') },
  ];
}

function socketUnit(description: string, page: string, lines: readonly string[]): string {
  const unit = ['[Unit]', `Description=${description}`, `Documentation=man:${page}`];
  return [...unit, '', '[Socket]', ...lines, '', '[Install]', 'WantedBy=sockets.target', ''].join('\n');
}

function lifeOf(role: Role, { program, config }: UnitOptions): string[] {
  const words = [...program, role, ...(config === undefined ? [] : ['--config', config])];
  return [
    'Type=notify',
    '# What tells systemd how we do is systemd-notify(1), a process of ours: so all of the service may. Commands in their',
    '# sandbox do not see the socket for that.',
    'NotifyAccess=all',
    `ExecStart=${words.map(quoted).join(' ')}`,
    'WatchdogSec=30',
    'Restart=on-failure',
    'RestartSec=1',
    'TimeoutStopSec=20',
  ];
}

function credentialsOf({ credentials }: UnitOptions): string[] {
  return credentials.map((each) => `LoadCredential=${each}`);
}

/** Folders that `ProtectHome` empties. */
const HOMES = /^\/(?:home|root|run\/user)(?:\/|$)/;

/** @param users whether there are no users but its own, or others too */
function hardening(
  options: UnitOptions & { readonly places?: readonly string[] },
  capabilities: readonly string[],
  users: 'its own' | 'others',
): string[] {
  const places = [...new Set([...(options.places ?? []), ...options.writable])];
  const inHomes = places.filter((path) => HOMES.test(path));
  const elsewhere = places.filter((path) => !HOMES.test(path) && path !== '/');
  return [
    `CapabilityBoundingSet=${capabilities.join(' ')}`,
    'NoNewPrivileges=yes',
    'ProtectSystem=strict',
    ...(inHomes.length > 0
      ? ['# Of homes only these are there.', 'ProtectHome=tmpfs', ...inHomes.map((path) => `BindPaths=-${quoted(path)}`)]
      : ['ProtectHome=yes']),
    ...(elsewhere.length > 0 ? ['# Where commands may write, as far as the policy lets them.'] : []),
    ...elsewhere.map((path) => `ReadWritePaths=-${quoted(path)}`),
    'PrivateTmp=yes',
    'PrivateDevices=yes',
    'PrivateMounts=yes',
    ...(users === 'its own' ? ['PrivateUsers=yes'] : []),
    'ProtectProc=invisible',
    'ProtectHostname=yes',
    'ProtectClock=yes',
    'ProtectKernelModules=yes',
    'RestrictRealtime=yes',
    'RestrictSUIDSGID=yes',
    'LockPersonality=yes',
    'RemoveIPC=yes',
    'KeyringMode=private',
    'UMask=0077',
    'SystemCallArchitectures=native',
    'SystemCallErrorNumber=EPERM',
    '# Commands run in a sandbox (bubblewrap) that is made of namespaces and mounts.',
    'SystemCallFilter=@system-service @mount',
    'RestrictNamespaces=user mnt pid ipc uts cgroup net',
    '# It has a /proc of its own, which the kernel gives only where nothing in ours is covered: so neither',
    '# ProtectKernelTunables nor ProtectKernelLogs. Without capabilities and devices there is nothing to be changed there.',
    '# Limits of commands are control groups below ours, so no ProtectControlGroups.',
    'Delegate=yes',
    '# No MemoryDenyWriteExecute: JavaScript is compiled to machine code as it runs.',
  ];
}

/** What the service manager of a user, who has no rights to give up, can keep. */
function userHardening(): string[] {
  return [
    'NoNewPrivileges=yes',
    'LockPersonality=yes',
    'RestrictRealtime=yes',
    'SystemCallArchitectures=native',
    'UMask=0077',
    '# Limits of commands are control groups below ours.',
    'Delegate=yes',
  ];
}

/** A word of a command line or a list of paths: systemd splits at spaces, and has its own meaning for % and $. */
function quoted(word: string): string {
  const plain = word.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[\w@%+=:,./$-]+$/.test(plain) ? plain : `"${plain.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** Folder of the units for the whole machine, or for one user. */
export function unitFolder(user: boolean, configHome: string): string {
  return user ? `${dirname(configHome)}/systemd/user` : '/etc/systemd/system';
}
