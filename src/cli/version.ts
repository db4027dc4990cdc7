import { Command } from 'commander';
import { SUPPORTED_VERSIONS } from '../protocol/versions.ts';
import { VERSION } from '../version.ts';
import { printData, printJson, table } from './output.ts';
import { wantsJson } from './session.ts';

export function define(): Command {
  return new Command('version')
    .description('Print the versions of the program, its runtime and the protocol.')
    .action(async (_, command: Command) => {
      const { deno, node } = process.versions;
      const runtime = deno ? `Deno ${deno}` : `Node ${node}`;
      const platform = `${process.platform}-${process.arch}`;
      if (wantsJson(command))
        return printJson({ name: 'mcp-python', version: VERSION, runtime, platform, mcp: SUPPORTED_VERSIONS });
      return printData(
        table([
          ['mcp-python', VERSION],
          ['runtime', `${runtime}, ${platform}`],
          ['MCP', SUPPORTED_VERSIONS.join(', ')],
        ]),
      );
    });
}
