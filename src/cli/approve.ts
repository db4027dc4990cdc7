import { Command } from 'commander';
import { Failure } from '../errors.ts';
import type { PendingApproval } from '../guard/approvals.ts';
import { safeText } from '../guard/text.ts';
import { printData, printJson, table } from './output.ts';
import { refuseInsideCommands } from './own-commands.ts';
import { runtimeFor, wantsJson } from './session.ts';

interface ApproveOptions {
  readonly session?: boolean;
  readonly deny?: boolean;
}

export function define(): Command {
  return new Command('approve')
    .description('Allow a command that waits for approval, or list what waits.')
    .argument('[id]', 'what to decide on; without it everything that waits is listed')
    .option('--session', 'allow the same command for the rest of the client’s session')
    .option('--deny', 'refuse it')
    .addHelpText(
      'after',
      '\nLeave is for this very command, once, and expires after execution.security.approval_timeout (10 minutes).',
    )
    .action(approve);
}

async function approve(id: string | undefined, { session, deny }: ApproveOptions, command: Command): Promise<void> {
  refuseInsideCommands('approve');
  if (session && deny)
    throw new Failure('invalid_input', '--session and --deny contradict each other.', { hint: 'Give one of them.' });
  if (id === undefined && (session || deny))
    throw new Failure('invalid_input', `${deny ? '--deny' : '--session'} needs the id of what it is about.`, {
      hint: '`mcp-python approve` lists what waits.',
    });
  await using runtime = await runtimeFor(command);
  const { approvals } = runtime;
  const json = wantsJson(command);
  if (id === undefined) {
    const waiting = await approvals.pending();
    if (json) return printJson(waiting.map(withoutDigest));
    return waiting.length > 0 ? printData(table(waiting.map(row))) : tell('Nothing waits for approval.');
  }
  const decided = await approvals.decide(id, deny ? 'declined' : session ? 'session' : 'once');
  if (json) return printJson(withoutDigest(decided));
  await tell(`${deny ? 'Declined' : 'Approved'}: ${safeText(decided.command)}`);
  if (!deny) await tell('It runs when the same call is made again.');
}

async function tell(sentence: string): Promise<void> {
  process.stderr.write(`${sentence}\n`);
}

function withoutDigest({ digest: _, ...told }: PendingApproval) {
  return told;
}

function row({ id, principal, backend, command, circumstances, reason, expiresMs }: PendingApproval): string[] {
  const minutes = Math.max(0, Math.ceil((expiresMs - Date.now()) / 60_000));
  return [
    id,
    `${minutes} min left`,
    principal,
    backend,
    `${oneLine(command)}  (${circumstances.map(oneLine).join('; ')}; ${oneLine(reason)})`,
  ];
}

const oneLine = (text: string) => safeText(text).replaceAll('\n', '⏎');
