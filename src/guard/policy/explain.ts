import type { Enforcement } from '../../backends/backend.ts';
import type { Config } from '../../config/schema.ts';

/** What holds for commands, as pairs of a matter and a sentence. */
export function explainPolicy(
  { execution }: Config,
  { sandbox, notEnforced }: Enforcement,
): readonly (readonly [string, string])[] {
  const { security } = execution;
  const { resource_limits: limits } = security;
  if (!security.command_validation) return [['commands', 'Not validated: only paths, limits and the sandbox hold.']];
  const strict = security.allowed_commands.length > 0 || security.blocked_commands.length > 0;
  return [
    ['profile', `${security.profile}: ${PROFILES[security.profile]}`],
    ['allowed', list(security.allowed_commands, 'every program that nothing speaks against')],
    ['blocked', list(security.blocked_commands, 'none by name')],
    ['unknown', strict ? STRICT : security.profile === 'unrestricted' ? 'allowed' : LENIENT],
    ['rules', security.rules.length === 0 ? 'none' : security.rules.map(rule).join(' · ')],
    ['files', list(security.path_restrictions, 'reading anywhere, writing below the workspace and the temporary folder')],
    ['sandbox', sandboxText(security.sandbox, sandbox, notEnforced)],
    ['network', networkText(security.network_hosts, sandbox !== undefined && security.sandbox !== 'off')],
    [
      'limits',
      `${limits.max_execution_time} s, ${Math.round(limits.max_memory / 1024 ** 2)} MiB, ${limits.max_cpu} cores, ${limits.max_processes} processes, ${limits.max_output} bytes of each output stream`,
    ],
  ];
}

const PROFILES = {
  'read-only': 'programs that are known to change nothing may run',
  developer: 'all may run but what acts on the machine itself or with other rights (sudo, shutdown, mkfs, package managers …)',
  unrestricted: 'nothing is refused but what the lists and rules name',
} as const;
const STRICT =
  'refused: with lists in force, names that are computed, code in arguments (`python -c`, `sh` from a pipe) and arguments that could be options';
const LENIENT = 'programs whose name is computed and scripts that cannot be read are refused; code in arguments is allowed';

function list(entries: readonly string[], otherwise: string): string {
  return entries.length > 0 ? entries.join(', ') : otherwise;
}

function rule({ verdict, ...conditions }: Config['execution']['security']['rules'][number]): string {
  const named = Object.entries(conditions).flatMap(([key, value]) =>
    key === 'reason' ? [] : [`${key} ${[value].flat().join(' ')}`],
  );
  return `${verdict} ${named.join(', ') || 'everything'}`;
}

function sandboxText(mode: string, sandbox: string | undefined, gaps: readonly string[]): string {
  const missing = gaps.length > 0 ? `; not enforced here: ${gaps.join(', ')}` : '';
  if (mode === 'off') return 'off: commands run with the rights of mcp-python itself';
  if (sandbox === undefined)
    return mode === 'required' ? `required and missing: no command runs${missing}` : `none found${missing}`;
  return `${sandbox}${missing}`;
}

function networkText(hosts: readonly string[], sandboxed: boolean): string {
  if (!sandboxed) return 'all: only the sandbox can cut it';
  return hosts.includes('*') ? 'all' : list(hosts, 'none');
}
