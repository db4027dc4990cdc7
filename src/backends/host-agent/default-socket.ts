/** Where the socket of this machine's host agent is when nobody says. */
import { join } from 'node:path';

/** The one of the system, which its systemd unit makes. */
export const SYSTEM_SOCKET = '/run/mcp-python/host-agent.sock';

/** The socket that an agent of this user listens on. @param state the state folder */
export function ownSocket(state: string, environment: NodeJS.ProcessEnv = process.env): string {
  if (process.getuid?.() === 0) return SYSTEM_SOCKET;
  const { XDG_RUNTIME_DIR: runtime } = environment;
  return runtime?.startsWith('/') ? join(runtime, 'mcp-python', 'host-agent.sock') : join(state, 'host-agent.sock');
}
