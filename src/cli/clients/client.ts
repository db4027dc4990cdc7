import type { JsonObject } from '../../tools/tool.ts';

/** How a client reaches us: it starts a command and talks over its standard streams, or it calls a URL. */
export type ServerTarget =
  | { readonly kind: 'stdio'; readonly command: string; readonly args: readonly string[] }
  | { readonly kind: 'http'; readonly url: string };

/** For all work of this user, or for the project in the working directory. */
export type ClientScope = 'user' | 'project';

export const CLIENT_SCOPES: readonly ClientScope[] = ['user', 'project'];

/** What the place of a client's files depends on. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly workingDirectory: string;
  readonly platform: NodeJS.Platform;
}

/** An MCP client that keeps its servers in a JSON file: where that is, and what an entry looks like there. */
export interface Client {
  readonly name: string;
  /** Its name as people write it. */
  readonly title: string;
  /** The program to look for on PATH. */
  readonly program: string;
  /** Whether its files may hold comments and trailing commas. */
  readonly comments: boolean;
  /** Files that may hold servers, absolute. The first that exists is changed; where none does the last is made. */
  files(scope: ClientScope, surroundings: Surroundings): readonly string[];
  /** Keys that lead to the object with one entry per server. @param values what the file holds now */
  servers(values: unknown): readonly string[];
  entry(target: ServerTarget): JsonObject;
  /** Every key that `entry` may give: those of the other kind are taken out when the kind changes. */
  readonly ownKeys: readonly string[];
  /** The program and arguments that an entry starts; undefined for a URL or what we cannot read. */
  command(entry: JsonObject): readonly string[] | undefined;
  /** What a person does next so that the client sees the entry. */
  readonly next: Readonly<Record<ClientScope, string>>;
}

/** `command` and `args`, the words most clients use. */
export function commandAndArguments({ command, args }: JsonObject): readonly string[] | undefined {
  if (typeof command !== 'string') return undefined;
  return [command, ...(Array.isArray(args) ? args.map(String) : [])];
}
