/** Which hosts a command may reach: `execution.security.network_hosts`. */
import { isIP, isIPv6 } from 'node:net';
import { Failure } from '../../errors.ts';

export interface HostList {
  /** @param host a name, or an address without brackets, as `canonicalHost` gives it */
  allows(host: string, port: number): boolean;
}

/** Ports of a host that is listed without one: the web's, and SSH for git. */
const USUAL_PORTS: ReadonlySet<number> = new Set([22, 80, 443]);

/**
 * @param entries `registry.npmjs.org`, `*.github.com` (every name below it, not itself), `db.example:5432`, an address
 *   (`10.0.0.5:5432`, `[fd00::1]:443`), or `*`
 * @throws Failure `invalid_config` for what is none of these
 */
export function parseHosts(entries: readonly string[]): HostList {
  const rules = entries.map(parse);
  return { allows: (host, port) => rules.some((rule) => rule(host, port)) };
}

type Rule = (host: string, port: number) => boolean;

function parse(entry: string): Rule {
  const text = entry.trim();
  const [, bracketed, plain, given] = isIPv6(text) ? ['', text] : (/^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(text) ?? []);
  const pattern = bracketed ?? plain ?? '';
  const port = given === undefined ? undefined : Number(given);
  const fits = (asked: number) => (port === undefined ? USUAL_PORTS.has(asked) : asked === port);
  if (pattern === '*') return (host, asked) => isIP(host) === 0 && fits(asked);

  const below = pattern.startsWith('*.');
  const name = canonicalHost(below ? pattern.slice(2) : pattern);
  const wrong = name === undefined || (bracketed !== undefined && !isIPv6(bracketed));
  if (wrong || (port !== undefined && port > 65_535) || (below && isIP(name) !== 0)) {
    throw new Failure('invalid_config', `"${entry}" in \`execution.security.network_hosts\` is no host.`, {
      hint: 'Write a name (`registry.npmjs.org`), `*.example.com`, or either of them or an address with a port (`10.0.0.5:5432`).',
    });
  }
  return below ? (host, asked) => host.endsWith(`.${name}`) && fits(asked) : (host, asked) => host === name && fits(asked);
}

/**
 * One spelling for all of a host's: lower case, no dot at the end, Punycode, `0x7f.1` as `127.0.0.1`.
 * @returns undefined for what is no host
 */
export function canonicalHost(host: string): string | undefined {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  if (/[\s/?#@\\%*]/.test(bare) || bare === '' || (bare.includes(':') && !isIPv6(bare))) return undefined;
  try {
    const { hostname } = new URL(`http://${isIPv6(bare) ? `[${bare}]` : bare}`);
    return hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '') || undefined;
  } catch {
    return undefined;
  }
}
