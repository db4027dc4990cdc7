/** Whether MCP clients are here, and whether what they would start still exists. */
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { toFailure } from '../../errors.ts';
import { CLIENT_SCOPES, type Client, type ClientScope } from '../clients/client.ts';
import { existingFiles, surroundings } from '../clients/entries.ts';
import { CLIENTS } from '../clients/table.ts';
import { type Check, fail, ok, warn } from './check.ts';

type Which = (name: string) => Promise<string | null>;

/** The name `setup` gives the entry unless told otherwise. */
const ENTRY_NAME = 'mcp-python';

/** @param which absolute path of the program that a name would run, or null */
export async function checkClients(which: Which): Promise<Check[]> {
  const all = await Promise.all(CLIENTS.map((client) => checkClient(client, which)));
  return all.flat();
}

async function checkClient(client: Client, which: Which): Promise<Check[]> {
  const program = await which(client.program);
  const entries = (await Promise.all(CLIENT_SCOPES.map((scope) => checkEntry(client, scope, which)))).flat();
  if (entries.length > 0) return entries;
  return program
    ? [ok(client.name, `installed, mcp-python not set up in it`, `Run \`mcp-python setup ${client.name}\` to use it there.`)]
    : [ok(client.name, 'not installed')];
}

async function checkEntry(client: Client, scope: ClientScope, which: Which): Promise<Check[]> {
  const again = `mcp-python setup ${client.name}${scope === 'user' ? '' : ` --scope ${scope}`}`;
  try {
    const files = await existingFiles(client, scope, ENTRY_NAME, surroundings());
    const checks = files.map(async ({ path, entry }) => {
      if (entry === undefined) return [];
      const command = client.command(entry);
      if (command === undefined) return [ok(client.name, `connects to ${entry.url ?? 'something we cannot read'}, says ${path}`)];
      const missing = await firstMissing(command, which);
      if (missing === undefined) return [ok(client.name, `starts ${command.join(' ')}, says ${path}`)];
      return [fail(client.name, `${path} starts ${missing}, which does not exist`, `Run \`${again}\` again.`)];
    });
    return (await Promise.all(checks)).flat();
  } catch (thrown) {
    const { message, code } = toFailure(thrown);
    return [warn(client.name, message, code === 'denied' ? 'Run this as the user the file belongs to.' : 'Repair the file.')];
  }
}

/** The program, or the file of ours that it is to run, whichever is not there. */
async function firstMissing([program = '', ...args]: readonly string[], which: Which): Promise<string | undefined> {
  const found = isAbsolute(program)
    ? await access(program, constants.X_OK).then(
        () => program,
        () => null,
      )
    : await which(program);
  if (found === null) return program;
  const source = args.find((each) => isAbsolute(each) && each.endsWith('/bin/mcp-python.ts'));
  if (source === undefined) return undefined;
  return access(source).then(
    () => undefined,
    () => source,
  );
}
