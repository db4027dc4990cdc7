/** Sockets that systemd has opened for us (sd_listen_fds(3)). */

/** Number of the first one. */
const FIRST = 3;

/** Their descriptors; none unless they are meant for this process. Commands are not told of them: our variables are not theirs. */
export function handedOver(environment: NodeJS.ProcessEnv = process.env): number[] {
  const { LISTEN_PID: pid, LISTEN_FDS: number } = environment;
  if (pid !== String(process.pid) || !/^[1-9]\d?$/.test(number ?? '')) return [];
  return Array.from({ length: Number(number) }, (_, index) => FIRST + index);
}
