/** What SSH hosts and containers have in common: a POSIX shell that somebody else starts for us. */
import type { Readable, Writable } from 'node:stream';

/** How a process of another machine ended. */
export interface RemoteEnd {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  /** `SIGTERM` and the like, where the transport tells it. */
  readonly signal: string | null;
}

/** A `/bin/sh` on another machine, and what it has become. Its streams apply back-pressure. */
export interface RemoteProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Rejects with Failure `unavailable` when the connection is lost before: the outcome then is unknown. */
  readonly ended: Promise<RemoteEnd>;
  /** Lets go of the streams without waiting; whether the process ends by that is not said. */
  abandon(): void;
}

/** A way to start shells on one machine. */
export interface RemoteShell {
  /** For messages: `ssh:web1`. */
  readonly name: string;
  /**
   * Starts `/bin/sh` with a script that tells nobody anything: it reads the real one from the first line of its standard
   * input, since arguments can be seen by everybody on that machine (see `shell-script.ts`).
   * @throws Failure `unavailable` when the machine cannot be reached, `denied` when it does not let us in
   */
  start(signal: AbortSignal): Promise<RemoteProcess>;
}
