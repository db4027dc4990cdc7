/** Runs the program from its first word to its exit status. */
import { Failure, toFailure } from '../errors.ts';
import { VERSION } from '../version.ts';
import { EXIT, exitCodeOf } from './exit-codes.ts';
import { stdoutGone, tellFailure, watchStdout } from './output.ts';

/** The life of an agent's thread, which the executable starts from the same bundle. */
export const runAgent = async (): Promise<void> => (await import('../agent.ts')).runAgent();

/** Runs the program and sets the process's exit code. */
export async function main(args: readonly string[]): Promise<void> {
  if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) {
    process.stdout.write(`${VERSION}\n`);
    return;
  }
  // What our own sandbox starts in itself; nothing for people.
  if (args[0] === 'sandbox-forwarder') return (await import('../backends/sandbox/forwarder.ts')).forward(args.slice(1));
  // What the host agent starts for each user; it listens to nobody but the agent.
  if (args[0] === 'host-agent-user' && process.connected) return (await import('../host-agent/user-worker.ts')).runUserProcess();
  watchStdout();
  try {
    const { runProgram } = await import('./program.ts');
    await runProgram(args);
  } catch (thrown) {
    process.exitCode = await end(thrown, args.includes('--json'));
  }
}

async function end(thrown: unknown, json: boolean): Promise<number> {
  const broken: NodeJS.ErrnoException | undefined = stdoutGone.reason;
  // The reader of a pipe has enough: that is no error.
  if (broken?.code === 'EPIPE') return EXIT.ok;
  const failure = broken ? new Failure('unavailable', `Cannot write to standard output: ${broken.message}`) : toFailure(thrown);
  const [{ redactFailure }, { redactor }] = await Promise.all([
    import('../redaction/redact-failure.ts'),
    import('../redaction/process-redactor.ts'),
  ]);
  tellFailure(redactFailure(failure), json);
  if (failure.code === 'internal' && thrown instanceof Error && !(thrown instanceof Failure)) {
    process.stderr.write(`${redactor.text(thrown.stack ?? '')}\n`);
  }
  return exitCodeOf(failure.code);
}
