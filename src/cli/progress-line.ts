/** Time before progress is worth a line, milliseconds. */
const QUIET_MS = 2000;
const ERASE = '\r\u001b[K';
const WIDTH = 100;

export interface ProgressLine {
  show(text: string): void;
  /** Takes the line away; nothing is shown from then on. */
  close(): void;
}

/** One line on stderr that is written over and vanishes, for work that takes longer than two seconds. */
export function createProgressLine(visible: boolean): ProgressLine {
  const startedMs = Date.now();
  let open = visible;
  let shown = false;
  return {
    show(text) {
      if (!open || Date.now() - startedMs < QUIET_MS) return;
      shown = true;
      process.stderr.write(`${ERASE}${text.split('\n', 1)[0]?.slice(0, WIDTH)}`);
    },
    close() {
      if (shown) process.stderr.write(ERASE);
      open = false;
      shown = false;
    },
  };
}
