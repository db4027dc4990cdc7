/** Records of the audit log for people: one line each, whatever was in them. */
import { safeText } from '../guard/text.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Longest line of a record, UTF-16 units; `--json` shows all. */
const MAX_LINE = 1000;

/** `when  #seq  event  who  what happened`, without anything a terminal would act on. */
export function recordLine(fields: Fields): string {
  const { when, seq, event } = fields;
  const who = fields.principal_name ?? fields.principal;
  const told = TOLD[String(event)]?.(fields) ?? '';
  const words = [when, `#${seq}`, String(event).padEnd(11), who, told].filter((each) => each !== undefined && each !== '');
  const line = safeText(words.map(String).join('  ').replaceAll('\n', '⏎')).replace(/[\n\t]/g, ' ');
  return line.length > MAX_LINE ? `${line.slice(0, MAX_LINE).toWellFormed()}…` : line;
}

const TOLD: Readonly<Record<string, (fields: Fields) => string>> = {
  call: ({ tool, outcome, code, duration_ms, target, reason }) =>
    words(tool, outcome, bracketed(code), milliseconds(duration_ms), target, reason && `(${reason})`),
  command: ({ backend, verdict, command, rule, reason, sandbox, approval }) =>
    words(
      verdict,
      `on ${backend}:`,
      command,
      `(rule ${rule}; sandbox ${sandbox}${approval ? `; approval ${approval}` : ''})`,
      reason,
    ),
  command_end: ({ backend, outcome, exit_code, signal, stdout_bytes, stderr_bytes, duration_ms }) =>
    words(
      outcome,
      signal ?? exit_code,
      `on ${backend},`,
      milliseconds(duration_ms),
      `${stdout_bytes} bytes of output, ${stderr_bytes} of errors`,
    ),
  write: ({ backend, path, bytes }) => words(path, `on ${backend},`, `${bytes} bytes`),
  approval: ({ backend, decision, by, command }) => words(decision, `by ${by}`, `on ${backend}:`, command),
  access: ({ what, address, reason }) => words(what, address, reason),
  start: ({ role, version }) => words(role, version),
  stop: ({ role, version }) => words(role, version),
  file: ({ file, previous }) => words(file, previous && `after ${previous}`),
  removed: ({ file }) => words(file, 'to keep no more files than configured'),
  gap: ({ lost, since, reason }) => words(lost, 'records lost since', since, `(${reason})`),
  recovered: ({ bytes, kept_in }) => words(bytes, 'unfinished bytes are now in', kept_in),
  damage: ({ what }) => words(what),
};

function words(...given: readonly unknown[]): string {
  return given.filter((each) => each !== undefined && each !== null && each !== '').join(' ');
}

function bracketed(code: unknown): string {
  return code === undefined ? '' : `[${code}]`;
}

function milliseconds(duration: unknown): string {
  return typeof duration === 'number' ? `${Math.round(duration * 10) / 10} ms` : '';
}
