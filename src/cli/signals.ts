import { EXIT } from './exit-codes.ts';

const STOPPING = ['SIGINT', 'SIGTERM'] as const;

/**
 * The first signal that asks the program to stop; a second one ends it at once.
 * @param onHangUp what SIGHUP does instead of that
 */
export function untilStopped(onHangUp?: () => void): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let asked = false;
    if (onHangUp) process.on('SIGHUP', onHangUp);
    for (const signal of onHangUp ? STOPPING : ([...STOPPING, 'SIGHUP'] as const)) {
      process.on(signal, () => {
        if (asked) process.exit(EXIT.interrupted);
        asked = true;
        resolve(signal);
      });
    }
  });
}
