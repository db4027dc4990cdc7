/** What the machine is and how it does. */
import type { Capabilities, HostInfo } from '../backends/host-agent/wire.ts';
import { PROTOCOL } from '../backends/host-agent/wire.ts';
import { VERSION } from '../version.ts';
import { type Endpoint, looks } from './endpoint.ts';
import * as requests from './requests.ts';

/** @param users whom commands can be run as now, the default first */
export function createMachineEndpoints(users: () => readonly string[], maxBodyBytes: number): Readonly<Record<string, Endpoint>> {
  const fixed = { protocol: PROTOCOL, version: VERSION, jobs: true, maxBodyBytes };
  return {
    '/capabilities': looks(requests.nothing, async () => ({ ...fixed, users: users() }) satisfies Capabilities, 'GET'),
    '/info': looks(
      requests.nothing,
      async (_, { guarded, host }) => ({ ...(await guarded.info()), surroundings: host.surroundings }) satisfies HostInfo,
      'GET',
    ),
    '/status': looks(requests.nothing, (_, { guarded, signal }) => guarded.status(signal), 'GET'),
    '/enforcement': looks(requests.nothing, (_, { guarded }) => guarded.enforcement(), 'GET'),
    '/machine-health': looks(requests.nothing, (_, { guarded }) => guarded.health(), 'GET'),
  };
}
