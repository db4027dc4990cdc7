/** Where references get their values: variables, files, and the commands of password managers. */
import { spawn } from 'node:child_process';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Reference } from './reference-syntax.ts';

/** Bytes of the longest value. */
const MAX_BYTES = 64 * 1024;
const COMMAND_MS = 10_000;
/** Characters of what a failed command said that are told. */
const LAST_WORDS = 500;

export interface ReferenceSources {
  /** Our own environment, and that of commands. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Told about files that others can read. */
  warn(sentence: string): void;
}

/** What is wrong, as the end of a sentence that says what to do. */
export interface Unresolved {
  readonly problem: string;
}

/** What commands printed, kept as long as the process lives: a password manager asks a person once. */
const printed = new Map<string, Promise<string | Unresolved>>();

/**
 * What a reference stands for.
 * @param folder where relative paths and commands start
 */
export async function lookUp(reference: Reference, folder: string, sources: ReferenceSources): Promise<string | Unresolved> {
  const { kind, target, written } = reference;
  if (kind === 'env') {
    const value = sources.environment[target];
    if (value === undefined) return { problem: `the environment variable ${target} is not set; set it before the start` };
    return value === '' ? { problem: `the environment variable ${target} is empty` } : value;
  }
  if (kind === 'file') return readSecretFile(target, folder, sources);
  const key = JSON.stringify([target, folder]);
  const known = printed.get(key);
  if (known) return known;
  const running = runCommand(target, written, folder, sources.environment);
  printed.set(key, running);
  const value = await running;
  if (typeof value !== 'string') printed.delete(key);
  return value;
}

function readSecretFile(target: string, folder: string, { warn }: ReferenceSources): string | Unresolved {
  const path = target.startsWith('~/') ? join(homedir(), target.slice(2)) : resolve(folder, target);
  let bytes: Buffer;
  try {
    // Opening a pipe that nobody writes to would wait for ever.
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const info = fstatSync(descriptor);
      if (!info.isFile()) return { problem: `${path} is not a regular file` };
      if (info.mode & 0o004) warn(`Everybody on this machine can read ${path}: \`chmod 600 ${path}\` keeps it secret.`);
      bytes = Buffer.alloc(MAX_BYTES + 1);
      let length = 0;
      for (let read = -1; read !== 0 && length < bytes.length; length += read) {
        read = readSync(descriptor, bytes, length, bytes.length - length, null);
      }
      bytes = bytes.subarray(0, length);
    } finally {
      closeSync(descriptor);
    }
  } catch (thrown) {
    const { code, message } = thrown as NodeJS.ErrnoException;
    return { problem: code === 'ENOENT' ? `there is no file ${path}` : `${path} cannot be read: ${message}` };
  }
  if (bytes.length > MAX_BYTES) return { problem: `${path} is longer than ${MAX_BYTES / 1024} KiB` };
  return asText(bytes, path);
}

/** Without the line feed that ends the last line. */
function asText(bytes: Uint8Array, source: string): string | Unresolved {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes).replace(/\r?\n$/, '');
  } catch {
    return { problem: `${source} is not UTF-8 text` };
  }
  if (text.includes('\0')) return { problem: `${source} holds a NUL character` };
  return text === '' ? { problem: `${source} is empty` } : text;
}

/**
 * Run by /bin/sh, as a person would type it: password managers print more than the secret, and a pipe picks it out.
 * Nothing is put into the script, so there is nothing to quote. It has no terminal and no input, which are the client's.
 */
function runCommand(
  script: string,
  written: string,
  folder: string,
  environment: ReferenceSources['environment'],
): Promise<string | Unresolved> {
  return new Promise((settle) => {
    const child = spawn('/bin/sh', ['-c', script], {
      cwd: folder,
      env: environment as NodeJS.ProcessEnv,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const chunks: Buffer[] = [];
    let length = 0;
    let complaint = '';
    let reason: string | undefined;
    const stop = (why: string) => {
      reason ??= why;
      end();
    };
    // With all that it started, also when we are ended meanwhile.
    const end = () => {
      try {
        if (child.pid) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It ended by itself.
      }
    };
    const timer = setTimeout(() => stop(`did not end within ${COMMAND_MS / 1000} s`), COMMAND_MS);
    process.once('exit', end);
    child.stdout.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > MAX_BYTES) stop(`printed more than ${MAX_BYTES / 1024} KiB`);
      else chunks.push(chunk);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(-LAST_WORDS);
    });
    const finish = (failure: string | undefined) => {
      clearTimeout(timer);
      process.off('exit', end);
      if (failure === undefined) return settle(asText(Buffer.concat(chunks), `what ${written} prints`));
      const said = complaint.replace(/\p{Cc}+/gu, ' ').trim();
      settle({ problem: `${written} ${failure}${said ? `, and said: ${said}` : ''}` });
    };
    child.on('error', (error) => finish(`cannot be run: ${error.message}`));
    child.on('close', (status, signal) => {
      finish(reason ?? (status === 0 ? undefined : signal ? `was ended by ${signal}` : `ended with exit status ${status}`));
    });
  });
}
