/** What requests hold. Whoever may send one may still not send anything. */
import { z } from 'zod';

const text = z.string().refine((value) => !value.includes('\0'), 'holds a NUL character');
const absolute = text.regex(/^\//).max(16_384);
const base64 = z.string().regex(/^[A-Za-z0-9+/]*={0,2}$/);
const milliseconds = z
  .number()
  .min(1)
  .max(8 * 86_400_000);
const size = z
  .int()
  .min(0)
  .max(2 ** 40);

const command = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('argv'), argv: z.tuple([text.min(1)], text) }),
  z.strictObject({ kind: z.literal('script'), script: text, args: z.array(text).exactOptional() }),
]);

const confinement = z.strictObject({
  writable: z.array(absolute),
  readable: z.array(absolute).exactOptional(),
  hidden: z.array(absolute),
  network: z.union([z.enum(['none', 'all']), z.array(z.string())]),
});

const limits = z.strictObject({
  memoryBytes: z.number().positive(),
  cpus: z.number().positive(),
  processes: z.number().positive(),
});

const execution = {
  command,
  /** Absent: the workspace of the user. */
  cwd: absolute.exactOptional(),
  /** Absent: the environment of the user. */
  env: z.record(z.string(), text).exactOptional(),
  stdin: base64.exactOptional(),
  timeoutMs: milliseconds.default(30_000),
  maxOutputBytes: size.default(2 ** 20),
  confinement: confinement.exactOptional(),
  limits: limits.exactOptional(),
};

const label = z.strictObject({
  command: z.string(),
  principal: z.string().max(256),
  principalName: z.string().max(256),
  session: z.string().max(256).exactOptional(),
  task: z.string().max(64),
  tool: z.string().max(256),
});

/** No input. */
export const nothing = z.strictObject({});
/** A command to run. */
export const execute = z.strictObject({ ...execution, stream: z.boolean().optional() });
/** A command that outlives its request. */
export const startJob = z.strictObject({
  ...execution,
  terminal: z.boolean(),
  openInput: z.boolean(),
  attached: z.boolean(),
  label,
});
/** A program to look for. */
export const which = z.strictObject({ name: text, path: z.string() });

/** One path. */
export const path = z.strictObject({ path: absolute });
/** Paths to resolve, and whether to look at what is there. */
export const paths = z.strictObject({ paths: z.array(absolute).max(1000), look: z.boolean().optional() });
const file = z.string().max(64);
/** A piece of an open file. */
export const read = z.strictObject({ file, position: size, length: size.max(8 * 1024 ** 2) });
/** An open file. */
export const close = z.strictObject({ file });
/** What a file is to hold. */
export const write = z.strictObject({
  path: absolute,
  /** The real path that the client has judged. */
  realPath: absolute,
  data: base64,
  createParents: z.boolean(),
  ifVersion: z.string().optional(),
});
/** A folder to list. */
export const list = z.strictObject({ path: absolute, hidden: z.boolean(), limit: size });
/** What to look for below a folder. */
export const search = z.strictObject({
  directory: absolute,
  realPath: absolute,
  glob: z.string().optional(),
  extensions: z.array(z.string()).optional(),
  content: z.string().optional(),
  caseSensitive: z.boolean(),
  hidden: z.boolean(),
  respectIgnores: z.boolean(),
  limit: size,
});

const id = z.string().max(64);
const stream = z.enum(['stdout', 'stderr']);
/** One job. */
export const job = z.strictObject({ id });
/** A piece of the output of a job. */
export const readJob = z.strictObject({ id, stream, position: size, length: size.max(8 * 1024 ** 2) });
/** How long to wait for a change, and since when. */
export const jobChange = z.strictObject({
  id,
  maxMs: z.number().min(0).max(30_000),
  seen: z.strictObject({ stdout: size, stderr: size, ended: z.boolean() }).optional(),
});
/** Input for a job. */
export const feedJob = z.strictObject({ id, data: base64 });
/** A signal for a job. */
export const signalJob = z.strictObject({ id, name: z.string().max(32) });
