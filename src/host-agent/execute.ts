/** Running commands for clients. */
import { decodeBytes, encodeBytes, encodeExecResult } from '../backends/host-agent/wire.ts';
import { withAsked } from './asked.ts';
import { acts, type Endpoint, looks } from './endpoint.ts';
import type { Host } from './hosts.ts';
import * as requests from './requests.ts';

/** Endpoints by path. */
export const EXECUTE_ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  '/execute': acts(
    requests.execute,
    async ({ stdin, stream, confinement, limits, cwd, env, ...request }, { guarded, host, signal, frames }) => {
      let skipped = 0;
      const result = await withAsked({ confinement, limits }, () =>
        guarded.exec(
          { ...request, ...placeOf(host, cwd, env), ...(stdin !== undefined && { stdin: decodeBytes(stdin) }) },
          {
            signal,
            ...(stream && {
              onOutput(output, chunk) {
                if (!frames.send({ output, data: encodeBytes(chunk) })) skipped += chunk.byteLength;
              },
            }),
          },
        ),
      );
      if (skipped > 0) frames.send({ skipped });
      return encodeExecResult(result);
    },
    { streams: true },
  ),
  '/which': looks(requests.which, ({ name, path }, { guarded }) => guarded.which(name, path)),
};

/** Where a command works and with which variables, as far as its request does not say. */
export function placeOf(
  { surroundings }: Host,
  cwd: string = surroundings.workspace,
  env: Readonly<Record<string, string>> = surroundings.environment,
): { readonly cwd: string; readonly env: Readonly<Record<string, string>> } {
  return { cwd, env };
}
