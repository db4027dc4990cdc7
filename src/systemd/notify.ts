/**
 * Telling systemd how we do (sd_notify(3)). Node has no datagram sockets of the file system, so systemd-notify(1) tells
 * it in our name: units need `NotifyAccess=all`, for it is another process.
 */
import { execFile } from 'node:child_process';

/** Who started us. */
export interface ServiceManager {
  /** We answer from now on, or again after a reload. */
  ready(status: string): Promise<void>;
  reloading(): Promise<void>;
  stopping(): Promise<void>;
}

/** How long systemd-notify may take, milliseconds. */
const TELL_MS = 5000;

/**
 * @returns nothing that does anything where we are not a service that notifies. Where there is a watchdog it is fed as
 * long as our event loop turns.
 */
export function serviceManager(
  environment: NodeJS.ProcessEnv = process.env,
  onTrouble: (message: string) => void = () => {},
): ServiceManager {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: watchdog, WATCHDOG_PID: watched } = environment;
  if (!socket) return { ready: async () => {}, reloading: async () => {}, stopping: async () => {} };
  let complained = false;

  function tell(...words: readonly string[]): Promise<void> {
    return new Promise((resolve) => {
      const env = { NOTIFY_SOCKET: socket, PATH: environment.PATH ?? '/usr/bin:/bin' };
      execFile('systemd-notify', [`--pid=${process.pid}`, ...words], { env, timeout: TELL_MS }, (error) => {
        if (error && !complained) onTrouble(`systemd cannot be told how we do: ${error.message.split('\n')[0]}`);
        complained ||= error !== null;
        resolve();
      });
    });
  }

  function feedWatchdog(): void {
    const everyMs = Number(watchdog) / 1000 / 3;
    if (!(everyMs > 0) || (watched !== undefined && watched !== String(process.pid))) return;
    setInterval(() => void tell('WATCHDOG=1'), everyMs).unref();
  }

  let fed = false;
  return {
    async ready(status) {
      await tell('--ready', `--status=${status}`);
      if (!fed) feedWatchdog();
      fed = true;
    },
    reloading: () => tell('RELOADING=1'),
    stopping: () => tell('STOPPING=1'),
  };
}
