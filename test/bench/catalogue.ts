/** What the list of tools costs a model that reads it. */
import { initialize, startStdioServer } from './processes.ts';
import type { Row } from './report.ts';
import type { Subject } from './subject.ts';

export async function catalogue(subject: Subject): Promise<Row[]> {
  await using server = startStdioServer(subject);
  await initialize(server);
  const result = await server.request('tools/list', {});
  const tools = result.tools as { name: string; description: string }[];
  const bytes = Buffer.byteLength(JSON.stringify(result));
  const sizes = tools.map(({ name, description }) => ({ name, size: Buffer.byteLength(description) }));
  const longest = sizes.reduce((most, each) => (each.size > most.size ? each : most));
  return [
    {
      group: 'catalogue',
      what: 'tools/list of everything, bytes / 4',
      figure: Math.ceil(bytes / 4),
      unit: 'tokens',
      bound: { kind: 'at most', value: 5999 },
      detail: `${bytes} bytes, ${tools.length} tools`,
    },
    {
      group: 'catalogue',
      what: 'longest description',
      figure: longest.size,
      unit: 'bytes',
      bound: { kind: 'at most', value: 2047 },
      detail: longest.name,
    },
  ];
}
