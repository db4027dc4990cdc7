/** How long a person or a client waits for the program. */
import { initialize, runToEnd, startStdioServer } from './processes.ts';
import { type Row, shown } from './report.ts';
import { interleave, timed } from './statistics.ts';
import type { Subject } from './subject.ts';

const ROUNDS = 21;

export async function startup(subject: Subject): Promise<Row[]> {
  const { command, prefix } = subject;
  const subjects = {
    bare: () => timed(() => runToEnd(process.execPath, ['-e', '0'], subject)),
    version: () => timed(() => runToEnd(command, [...prefix, '--version'], subject)),
    initialize: () => untilAnswered(subject, async () => {}),
    call: () =>
      untilAnswered(subject, async (server) => {
        const result = await server.request('tools/call', { name: 'check_command_exists', arguments: { command: 'sh' } });
        if (result.isError || !JSON.stringify(result).includes('/sh')) throw new Error(`Wrong answer: ${JSON.stringify(result)}`);
      }),
  };
  // Once for the page cache.
  await interleave(1, subjects);
  const ms = await interleave(ROUNDS, subjects);
  const row = (what: string, figure: number, most: number): Row => ({
    group: 'startup',
    what,
    figure: figure / ms.bare,
    unit: '×',
    bound: { kind: 'at most', value: most },
    detail: `${shown(figure)} ms, bare node -e 0 ${shown(ms.bare)} ms (${subject.kind})`,
  });
  return [
    row('--version', ms.version, 1.3),
    row('spawn to the answer to initialize', ms.initialize, 2.4),
    row('spawn to the first tools/call answer', ms.call, 4),
  ];
}

/** Milliseconds from the spawn until the handshake and `then` are answered; the end of the process does not count. */
async function untilAnswered(
  subject: Subject,
  then: (server: ReturnType<typeof startStdioServer>) => Promise<void>,
): Promise<number> {
  const start = performance.now();
  await using server = startStdioServer(subject);
  await initialize(server);
  await then(server);
  return performance.now() - start;
}
