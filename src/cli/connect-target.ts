/** Which server `stdio --connect` names, and what is sent to it as a credential. */
import { resolve } from 'node:path';
import type { LoadedConfig } from '../config/load.ts';
import { Failure } from '../errors.ts';
import { redactor } from '../redaction/process-redactor.ts';
import { stateFolder } from '../state/folders.ts';
import type { BridgeTarget } from '../transports/bridge-wire.ts';
import { isInsideCommand, refuseInsideCommands } from './own-commands.ts';

/** A server on a local socket has no address; only the path of its endpoint counts. */
const LOCAL_URL = 'http://localhost/mcp';

/**
 * @param text a URL, the path of a local socket, or `auto` for the server of this state folder
 * @returns undefined when `auto` finds none
 * @throws Failure `invalid_input` for what names no server, `denied` for a socket inside a command that a tool runs
 */
export async function connectTarget(text: string, loaded: LoadedConfig): Promise<BridgeTarget | undefined> {
  if (text === 'auto') {
    if (isInsideCommand()) return undefined;
    const { findLocalServer } = await import('../transports/local-server.ts');
    const found = await findLocalServer(stateFolder(loaded.config.state.directory));
    return found && { url: new URL(LOCAL_URL), socketPath: found.socketPath };
  }
  const url = URL.parse(text);
  if (url && (url.protocol === 'http:' || url.protocol === 'https:')) return atUrl(url, loaded);
  if (!text.includes('/')) {
    throw new Failure('invalid_input', `"${text}" names no server.`, {
      hint: 'Give the URL that `mcp-python serve` prints, the path of its socket, or `auto`.',
    });
  }
  refuseInsideCommands('stdio --connect SOCKET');
  return { url: new URL(LOCAL_URL), socketPath: resolve(text) };
}

function atUrl(url: URL, loaded: LoadedConfig): BridgeTarget {
  if (url.username !== '' || url.password !== '') {
    throw new Failure('invalid_input', 'A credential does not belong in the address, where everybody on this machine sees it.', {
      hint: 'Set MCP_PYTHON_API_KEY, or `connect.api_key` as a reference.',
    });
  }
  const credential = process.env.MCP_PYTHON_API_KEY || apiKey(loaded);
  if (!credential) return { url };
  redactor.addSecret(credential);
  return { url, credential };
}

function apiKey({ config, originOf, references }: LoadedConfig): string {
  const key = config.connect.api_key;
  if (key !== '' && originOf('connect.api_key').kind === 'file' && !references.has('connect.api_key')) {
    throw new Failure('invalid_config', '`connect.api_key` is written out in the configuration file.', {
      // biome-ignore lint/suspicious/noTemplateCurlyInString: this is how references are written
      hint: 'Keep it elsewhere and refer to it: `${env:NAME}`, `${file:PATH}` or `${command:SCRIPT}`.',
    });
  }
  return key;
}
