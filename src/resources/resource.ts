import type { Principal, Scope } from '../identity/principal.ts';

export interface ResourceContents {
  readonly mimeType: string;
  /** One of the two. */
  readonly text?: string;
  readonly blob?: Uint8Array;
}

export interface ResourceContext {
  readonly principal: Principal;
  readonly signal: AbortSignal;
}

/** Something a client can read by a fixed URI (MCP `resources`). */
export interface Resource {
  readonly uri: string;
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly mimeType: string;
  /** What a credential must be allowed to do before it may read it; absent: `tools:read`. */
  readonly scope?: Scope;
  read(context: ResourceContext): Promise<ResourceContents>;
}

/** A family of resources: `test://template/{id}/data` (RFC 6570 level 1, one variable a segment). */
export interface ResourceTemplate {
  readonly uriTemplate: string;
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly mimeType: string;
  read(variables: Readonly<Record<string, string>>, context: ResourceContext): Promise<ResourceContents>;
  /** Values for a variable that start with what was typed. */
  complete?(variable: string, value: string, others: Readonly<Record<string, string>>): Promise<readonly string[]>;
}
