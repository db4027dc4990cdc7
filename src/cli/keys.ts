/** `keys create`, `list` and `revoke`: the API keys that clients use over HTTP. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { type ApiKey, isUsable, keysFolder } from '../identity/key-record.ts';
import { type KeyStore, openKeyStore } from '../identity/key-store.ts';
import { SCOPES, type Scope } from '../identity/principal.ts';
import { stateFolder } from '../state/folders.ts';
import { printData, printJson, table } from './output.ts';
import { refuseInsideCommands } from './own-commands.ts';
import { loadConfigFor, wantsJson } from './session.ts';

interface CreateOptions {
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Milliseconds from now; undefined: never. */
  readonly expires: { readonly afterMs: number | undefined };
  readonly rate?: number;
}

const DAY_MS = 86_400_000;
const UNITS_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: DAY_MS, w: 7 * DAY_MS, y: 365 * DAY_MS };
/** A hundred years; what is longer is meant to be `never`. */
const MAX_LIFE_MS = 36_500 * DAY_MS;

export function define(): Command {
  const keys = new Command('keys').description('Make, list and revoke the API keys that clients use over HTTP.');
  keys
    .command('create')
    .description('make a key and print it; it is shown this once')
    .requiredOption('--name <name>', 'who uses it, as rules, tasks and the audit log will name them')
    .addOption(
      new Option('--scopes <list>', `what it may do: ${SCOPES.join(', ')}, with commas between them`)
        .argParser(parseScopes)
        .default(['tools:read'], 'tools:read'),
    )
    .addOption(
      new Option('--expires <time>', 'time after which it is refused, `12h`, `90d`, `1y`, or `never`')
        .argParser(parseExpiry)
        .default({ afterMs: 90 * DAY_MS }, '90d'),
    )
    .option('--rate <number>', 'requests it may send in a minute (default: authentication.requests_per_minute)', parseRate)
    .addHelpText('after', SCOPE_HELP)
    .action(create);
  keys.command('list').description('list the keys, without their secrets').action(list);
  keys
    .command('revoke')
    .description('end a key: its next request is refused, and what it has running stops')
    .argument('<key>', 'name or id')
    .action(revoke);
  return keys;
}

const SCOPE_HELP = `
Scopes:
  tools:read     tools that look, and resources
  tools:execute  tools that run commands or change files
  admin          everything, the configuration included

Clients send the key as \`Authorization: Bearer KEY\` or \`X-API-Key: KEY\`. A running server knows it at once.`;

function parseScopes(text: string): Scope[] {
  const words = text.split(',').map((word) => word.trim());
  const unknown = words.find((word) => !SCOPES.includes(word as Scope));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(`"${unknown}" is no scope; there are ${SCOPES.join(', ')}.`);
  }
  return SCOPES.filter((scope) => words.includes(scope));
}

function parseExpiry(text: string): CreateOptions['expires'] {
  if (text === 'never') return { afterMs: undefined };
  const [, amount, unit = ''] = /^(\d{1,9})([mhdwy])$/.exec(text) ?? [];
  const afterMs = Number(amount) * (UNITS_MS[unit] ?? Number.NaN);
  if (!(afterMs > 0 && afterMs <= MAX_LIFE_MS)) {
    throw new InvalidArgumentError('It must be `never`, or a number of minutes, hours, days, weeks or years: 30m, 12h, 90d.');
  }
  return { afterMs };
}

function parseRate(text: string): number {
  const rate = Number(text);
  if (!/^\d+$/.test(text) || rate < 1 || rate > 1_000_000) {
    throw new InvalidArgumentError('It must be a whole number from 1 to 1000000.');
  }
  return rate;
}

async function create({ name, scopes, expires, rate }: CreateOptions, command: Command): Promise<void> {
  refuseInsideCommands('keys create');
  const store = await storeFor(command);
  const expiresMs = expires.afterMs === undefined ? undefined : Date.now() + expires.afterMs;
  const { key, text } = await store.create({ name, scopes, expiresMs, requestsPerMinute: rate });
  try {
    await (wantsJson(command) ? printJson({ key: text, ...told(key) }) : printData(text));
  } catch (thrown) {
    // Nobody has seen it.
    await store.revoke(key.id);
    throw thrown;
  }
  tell(`This key is shown only once: put it where "${key.name}" keeps its secrets. What we keep is a hash of it.`);
}

async function list(_: unknown, command: Command): Promise<void> {
  const { keys, unreadable } = await (await storeFor(command)).list();
  for (const name of unreadable) tell(`${name} is not the file of a key, or is broken: it opens nothing.`);
  if (wantsJson(command)) return printJson(keys.map(told));
  if (keys.length === 0) return tell('There are no API keys. Make one with `mcp-python keys create --name NAME`.');
  const rows = keys.map((key) => [
    key.name,
    key.id,
    key.scopes.join(','),
    date(key.createdMs),
    expiry(key),
    key.requestsPerMinute === undefined ? '-' : `${key.requestsPerMinute}/min`,
  ]);
  await printData(table([['NAME', 'ID', 'SCOPES', 'CREATED', 'EXPIRES', 'RATE'], ...rows]));
}

async function revoke(nameOrId: string, _: unknown, command: Command): Promise<void> {
  refuseInsideCommands('keys revoke');
  const key = await (await storeFor(command)).revoke(nameOrId);
  if (wantsJson(command)) return printJson(told(key));
  tell(`Revoked ${key.name} (${key.id}). A running server ends what it has open within a second.`);
}

async function storeFor(command: Command): Promise<KeyStore> {
  const { config } = await loadConfigFor(command);
  return openKeyStore(keysFolder(stateFolder(config.state.directory)), {
    async onAccess(entry) {
      const { auditLogOf } = await import('../runtime.ts');
      await using audit = auditLogOf(config);
      await audit?.record(entry);
    },
  });
}

/** A key as programs see it; times are ISO 8601. */
function told(key: ApiKey) {
  return {
    id: key.id,
    name: key.name,
    scopes: key.scopes,
    created: new Date(key.createdMs).toISOString(),
    expires: key.expiresMs === undefined ? null : new Date(key.expiresMs).toISOString(),
    expired: !isUsable(key, Date.now()),
    ...(key.requestsPerMinute !== undefined && { requests_per_minute: key.requestsPerMinute }),
  };
}

function expiry(key: ApiKey): string {
  if (key.expiresMs === undefined) return 'never';
  return isUsable(key, Date.now()) ? date(key.expiresMs) : `expired ${date(key.expiresMs)}`;
}

function date(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

function tell(sentence: string): void {
  process.stderr.write(`${sentence}\n`);
}
