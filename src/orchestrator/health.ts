/** How an agent is doing, looked at in regular intervals. */
export interface Health {
  /** Milliseconds since 1970. */
  readonly checkedMs: number;
  /** How late the check itself ran, milliseconds: what a call waits for the event loop. */
  readonly eventLoopLagMs: number;
  readonly heapUsedBytes: number;
}

/** Checks this thread each `seconds`; it keeps no process alive. */
export function createHealthCheck(seconds: number) {
  const intervalMs = seconds * 1000;
  let dueMs = performance.now() + intervalMs;
  let health = look(0);
  const timer = setInterval(() => {
    const nowMs = performance.now();
    health = look(Math.max(0, Math.round(nowMs - dueMs)));
    dueMs = nowMs + intervalMs;
  }, intervalMs);
  timer.unref();
  return { latest: () => health, stop: () => clearInterval(timer) };
}

function look(eventLoopLagMs: number): Health {
  return { checkedMs: Date.now(), eventLoopLagMs, heapUsedBytes: process.memoryUsage().heapUsed };
}
