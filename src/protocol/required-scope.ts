/** What a credential must be allowed to do before a request of its is answered. */
import type { Scope } from '../identity/principal.ts';
import type { Catalogue } from '../tools/catalogue.ts';
import type { JsonRpcRequest } from './jsonrpc.ts';

/**
 * The scope a request needs; undefined where any credential will do: lists, and what does not exist.
 * Resources need `tools:read` unless they say otherwise.
 */
export async function requiredScope(catalogue: Catalogue, { method, params }: JsonRpcRequest): Promise<Scope | undefined> {
  if (method === 'tools/call') {
    const name = params?.name;
    if (typeof name !== 'string' || !catalogue.hasTool(name)) return undefined;
    const { scope } = catalogue.loadedTool(name) ?? (await catalogue.tool(name));
    // A plug-in in plain JavaScript can leave it out.
    return scope ?? 'tools:execute';
  }
  if (method === 'resources/read' || method === 'resources/subscribe') {
    const uri = params?.uri;
    return (typeof uri === 'string' ? catalogue.resources.get(uri)?.scope : undefined) ?? 'tools:read';
  }
  return undefined;
}
