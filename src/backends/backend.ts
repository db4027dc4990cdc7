/**
 * The contract every execution backend keeps (native, Docker, SSH, host agent, or a user's own).
 *
 * Paths are absolute POSIX paths on the backend's machine. Sizes are bytes, times are milliseconds.
 * Every method rejects with `Failure`; `not_found`, `denied`, `invalid_input`, `timeout`, `cancelled`,
 * `too_large` and `unavailable` mean the same on every backend.
 */

/** What is run: an argument vector, or a script for `/bin/sh`. Never a string glued together by us. */
export type Command =
  | { readonly kind: 'argv'; readonly argv: readonly [string, ...string[]] }
  | { readonly kind: 'script'; readonly script: string; readonly args?: readonly string[] };

/** What a command may touch. Paths are absolute and real on the backend's machine; stronger where they overlap: the longer one. */
export interface Confinement {
  /** Folders that may be changed; everything else is read-only. */
  readonly writable: readonly string[];
  /** Folders that may be read beside the system's own (`/usr`, `/etc` …); undefined: everything. */
  readonly readable?: readonly string[];
  /** Files and folders that are not there at all. */
  readonly hidden: readonly string[];
  /** Hosts that may be reached (`registry.npmjs.org`, `*.github.com`, `10.0.0.5:5432`), through a proxy; none; or all without one. */
  readonly network: 'none' | 'all' | readonly string[];
}

/** Limits of a command with all it starts. */
export interface ResourceLimits {
  readonly memoryBytes: number;
  /** CPU cores, fractions allowed. */
  readonly cpus: number;
  /** Processes and threads at once. */
  readonly processes: number;
}

/** What really holds on this backend. Absent parts of `Confinement` and `ResourceLimits` are not enforced. */
export interface Enforcement {
  /** Name of what confines commands, `bubblewrap 0.8.0`; undefined: nothing does. */
  readonly sandbox: string | undefined;
  /** Ends of sentences, `commands can read every file`: what is asked for and does not hold here. */
  readonly notEnforced: readonly string[];
}

export interface ExecRequest {
  readonly command: Command;
  /** Absolute working directory. */
  readonly cwd: string;
  /** The whole environment of the command; nothing is inherited beside it. */
  readonly env: Readonly<Record<string, string>>;
  /** Fed to standard input, which is then closed; without it standard input is empty. */
  readonly stdin?: Uint8Array;
  /** Wall-clock limit; past it the process tree gets SIGTERM, then SIGKILL. */
  readonly timeoutMs: number;
  /** Bytes kept of each stream: half from its head, half from its tail. */
  readonly maxOutputBytes: number;
  /** Absent: not confined. @throws Failure `unavailable` where it is asked for and the backend cannot. */
  readonly confinement?: Confinement;
  /** Absent: the machine's own limits. */
  readonly limits?: ResourceLimits;
}

export type OutputStream = 'stdout' | 'stderr';

export interface ExecIO {
  /** Aborting kills the whole process tree; `exec` then resolves with `outcome: 'cancelled'`. */
  readonly signal: AbortSignal;
  /** Called with each piece of output as it arrives, before any limit is applied. */
  onOutput?(stream: OutputStream, chunk: Uint8Array): void;
}

/** One stream of a finished command: all of it, or its head and tail with the count left out between them. */
export interface CapturedOutput {
  readonly head: Uint8Array;
  /** Empty when nothing was left out. */
  readonly tail: Uint8Array;
  readonly totalBytes: number;
  /** Bytes between head and tail that were not kept. */
  readonly omittedBytes: number;
}

export interface ResourceUse {
  /** User and system CPU time of the process tree, as far as the backend can tell. */
  readonly cpuMs?: number;
  /** Largest resident set seen, bytes. */
  readonly maxRssBytes?: number;
}

export interface ExecResult {
  /** How it ended: by itself, at its time limit, or because the caller aborted. */
  readonly outcome: 'exited' | 'timeout' | 'cancelled';
  /** The resource limit it ran into, where the backend can tell. */
  readonly limitHit?: 'memory' | 'processes';
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  /** `SIGKILL` and the like, null when it exited by itself. */
  readonly signal: string | null;
  readonly durationMs: number;
  readonly stdout: CapturedOutput;
  readonly stderr: CapturedOutput;
  readonly resources: ResourceUse;
}

export type FileKind = 'file' | 'directory' | 'symlink' | 'other';

export interface FileInfo {
  readonly path: string;
  readonly kind: FileKind;
  readonly size: number;
  /** Permission bits, `0o644` and the like. */
  readonly mode: number;
  readonly modifiedMs: number;
  /** Opaque; another one once the file has other contents. */
  readonly version: string;
  /** Where a symbolic link points, as written in it. */
  readonly linkTarget?: string;
}

/**
 * What the guard judges: an object that the backend holds open, or the place of one that is not there. Backends that
 * cannot hold one (a remote machine without our agent) resolve the path, have it judged, and say so in their manual.
 */
export interface HeldObject {
  /** Where it really is, all links resolved; of a missing one: where it would be, as far as that can be told. */
  readonly realPath: string;
  readonly kind: FileKind | 'missing';
  /** The same for every name of the object; absent where the backend cannot tell, as is what follows. */
  readonly identity?: string;
  /** How many names it has (hard links). */
  readonly names?: number;
  /** Last change of its data, names or rights. */
  readonly changedMs?: number;
}

/** The guard’s part in an access to files. */
export interface Judge {
  /**
   * Called when the object is held, before anything is done with it or told about it.
   * @throws Failure `denied`
   */
  admit(object: HeldObject): Promise<void>;
  /**
   * Whether something below an admitted folder is neither named nor opened. Only called once that folder is admitted.
   * Entries that were not looked at have kind `missing`.
   */
  conceals(object: HeldObject): boolean | Promise<boolean>;
}

/** A regular file held open: what was judged is what is read. */
export interface OpenFile extends AsyncDisposable {
  readonly info: FileInfo;
  /** Up to `length` bytes at `position`; shorter at the end of the file, empty past it. */
  read(position: number, length: number): Promise<Uint8Array>;
}

export interface WriteOptions {
  /** Make missing parent folders. */
  readonly createParents: boolean;
  /** Refuse with `conflict` unless the file still has this `version` (optimistic locking). */
  readonly ifVersion?: string;
}

export interface SearchRequest {
  /** Absolute folder to search below. */
  readonly directory: string;
  /** Glob on names, or on paths relative to `directory` when it has a slash. */
  readonly glob?: string;
  /** Only files with one of these name extensions (`ts`, `.ts`). */
  readonly extensions?: readonly string[];
  /** Regular expression (Rust/RE2-like common subset) looked for in each line of text files. */
  readonly content?: string;
  readonly caseSensitive: boolean;
  /** Include names that start with a dot. */
  readonly hidden: boolean;
  /** Follow .gitignore, .ignore and git's exclude files, as git does. */
  readonly respectIgnores: boolean;
  /** Stop after this many matches. */
  readonly limit: number;
}

export interface SearchMatch {
  /** Path relative to the searched folder. */
  readonly path: string;
  /** 1-based line, present for content searches. */
  readonly line?: number;
  /** The matching line, cut to 500 characters. */
  readonly text?: string;
}

export interface SearchResult {
  readonly matches: readonly SearchMatch[];
  /** True when `limit` cut the search short. */
  readonly truncated: boolean;
}

export interface ListOptions {
  /** Include names that start with a dot. */
  readonly hidden: boolean;
  readonly limit: number;
}

export interface FolderListing {
  readonly entries: readonly FileInfo[];
  readonly truncated: boolean;
}

/**
 * Every method but `resolve` decides nothing by itself: it has what it found judged, and acts on exactly that, however
 * names are changed meanwhile.
 */
export interface BackendFiles {
  /** Does not follow a final symbolic link. */
  stat(path: string, judge: Judge): Promise<FileInfo>;
  /**
   * The path with every symbolic link resolved. Parts at the end that do not exist are kept as they are,
   * so that the place of a file to be made can be judged before it exists.
   */
  resolve(path: string): Promise<string>;
  /** Opens a regular file for reading; `invalid_input` for folders, devices, FIFOs and sockets, which are not touched. */
  open(path: string, judge: Judge): Promise<OpenFile>;
  /**
   * Replaces the file in one step: readers see the old bytes or the new ones. Keeps its permissions, and its owner
   * where that may be. The judge is asked again when the folder has been moved meanwhile.
   */
  write(path: string, data: Uint8Array, options: WriteOptions, judge: Judge): Promise<FileInfo>;
  /**
   * Entries of a folder by name, at most `limit` of them, without those the judge conceals. Of a folder so large that
   * not all of its names are looked at, entries may be missing in between; `truncated` then is true.
   */
  list(path: string, options: ListOptions, judge: Judge): Promise<FolderListing>;
  /** Neither names nor opens what the judge conceals, and never leaves the folder. */
  search(request: SearchRequest, signal: AbortSignal, judge: Judge): Promise<SearchResult>;
  /** Further real paths that lead to the same place, as a file system mounted twice has them. Absent: none are known. */
  otherPlaces?(realPath: string): Promise<readonly string[]>;
  /** Identities of the files at and below some places that have further names (hard links). Absent: none are known. */
  linkedFiles?(realPaths: readonly string[]): Promise<ReadonlySet<string>>;
}

export interface SystemInfo {
  readonly hostname: string;
  readonly platform: string;
  readonly release: string;
  /** Distribution or product name, `Debian GNU/Linux 12 (bookworm)`. */
  readonly distribution?: string;
  readonly architecture: string;
  readonly cpuModel: string;
  readonly cpuCount: number;
  readonly memoryTotalBytes: number;
  readonly user: string;
  readonly homeDirectory: string;
  readonly shell: string;
  readonly timezone: string;
}

export interface SystemStatus {
  readonly uptimeSeconds: number;
  /** 1, 5 and 15 minutes. */
  readonly loadAverage: readonly [number, number, number];
  /** Busy share of all CPUs over the sampling time, 0 to 1. */
  readonly cpuBusy: number;
  readonly memory: {
    readonly totalBytes: number;
    readonly availableBytes: number;
    readonly swapTotalBytes: number;
    readonly swapFreeBytes: number;
  };
  readonly disks: readonly { readonly mount: string; readonly totalBytes: number; readonly availableBytes: number }[];
  readonly processCount: number;
  /** Processes using most CPU and memory, at most ten. */
  readonly topProcesses: readonly {
    readonly pid: number;
    readonly name: string;
    readonly rssBytes: number;
    readonly cpuSeconds: number;
  }[];
}

export interface BackendHealth {
  readonly ok: boolean;
  readonly latencyMs: number;
  readonly message?: string;
}

/** Whose a job is and what is told of it: kept with it word for word, for it may outlive everybody who knew. */
export interface JobLabel {
  /** The command as people see it, without secrets. */
  readonly command: string;
  readonly principal: string;
  readonly principalName: string;
  readonly session?: string;
  /** UUID of the call that started it. */
  readonly task: string;
  readonly tool: string;
}

export interface JobRequest extends ExecRequest {
  /** Bytes kept of each stream from its beginning on; of what comes later only a last piece. */
  readonly maxOutputBytes: number;
  /** Run it in a terminal of its own. @throws Failure `unsupported` where the machine has no program that makes one */
  readonly terminal: boolean;
  /** Standard input stays open for `write`; not together with `stdin`. */
  readonly openInput: boolean;
  /** It ends, with outcome `cancelled`, when this process or thread ends before `detach` was called. */
  readonly attached: boolean;
  readonly label: JobLabel;
}

/** How a job ended. */
export interface JobEnd {
  /**
   * `failed`: the command was never run, for `reason`. `interrupted`: nobody saw it end, for the machine was started
   * anew or its supervisor was killed.
   */
  readonly outcome: 'exited' | 'timeout' | 'cancelled' | 'failed' | 'interrupted';
  /** Null when a signal ended it, or it is not known. */
  readonly exitCode: number | null;
  /** `SIGKILL` and the like. */
  readonly signal: string | null;
  /** Why it failed. */
  readonly reason?: string;
  readonly limitHit?: ExecResult['limitHit'];
  readonly resources: ResourceUse;
  /** Unix time; of an interrupted one when that was noticed. */
  readonly endedMs: number;
}

export interface Job {
  /** UUID. */
  readonly id: string;
  readonly label: JobLabel;
  readonly cwd: string;
  readonly terminal: boolean;
  /** Unix time. */
  readonly createdMs: number;
  readonly timeoutMs: number;
  /** Undefined as long as it runs. */
  readonly end: JobEnd | undefined;
  /** Whether `write` is heard. */
  readonly inputOpen: boolean;
  /** Bytes that can be read of each stream. */
  readonly bytes: Readonly<Record<OutputStream, number>>;
  /** Streams of which there was more than is kept. */
  readonly cutOff: readonly OutputStream[];
}

/** Wakes up when something happens to a job. */
export interface JobWatch extends Disposable {
  /** Resolves when something may have changed since the last time, at the latest after `maxMs`. */
  changed(maxMs: number): Promise<void>;
}

/**
 * Commands that outlive their call, this process and its end. All about them is in files on the backend's machine, so
 * that every process and thread that uses the same folder sees the same jobs. Ids that are none are `not_found`.
 */
export interface BackendJobs {
  /** Resolves when the command runs. @throws Failure as `exec` does, for what can be told before */
  start(request: JobRequest): Promise<Job>;
  /** From now on an attached job of ours goes on without us. */
  detach(id: string): Promise<void>;
  /** Newest first. */
  list(): Promise<readonly Job[]>;
  /** @throws Failure `not_found` */
  get(id: string): Promise<Job>;
  /** Up to `length` bytes at `position`; empty behind what there is by now. */
  read(id: string, stream: OutputStream, position: number, length: number): Promise<Uint8Array>;
  watch(id: string): JobWatch;
  /**
   * For a job that this process has started: true when it has ended, false when the backend is closed before. Does not
   * keep the process alive.
   */
  untilEnd(id: string): Promise<boolean>;
  /** Feeds standard input. @returns how many bytes were taken before `signal` was aborted @throws Failure `conflict` when it is closed */
  write(id: string, data: Uint8Array, signal: AbortSignal): Promise<number>;
  /** The command reads the end of its input when it has read all before. */
  closeInput(id: string): Promise<void>;
  /** Sends `TERM`, `INT` and the like to all it started. @throws Failure `conflict` when it does not run any more */
  signal(id: string, name: string): Promise<void>;
  /** Ends it as the time limit does, with outcome `cancelled`. */
  cancel(id: string): Promise<void>;
  /** True for one caller only among all processes: whoever is to tell others of the end. */
  claimEnd(id: string): Promise<boolean>;
  /** Gives the claim back: somebody else is to try. */
  returnEnd(id: string): Promise<void>;
  /** Takes a job that has ended away. */
  remove(id: string): Promise<void>;
}

/** Where things are on a machine that is not the one we run on. Paths are absolute on that machine. */
export interface Surroundings {
  /** Relative paths start here. */
  readonly workspace: string;
  readonly home: string;
  readonly temporary: string;
  /** What every command starts with: PATH, HOME, USER, LANG and the like; nothing of ours. */
  readonly environment: Readonly<Record<string, string>>;
  /** Files and folders there that no tool touches, such as the folder of our jobs. */
  readonly protectedPaths: readonly string[];
}

export interface Backend extends AsyncDisposable {
  /** `native`, `docker:busybox`, `ssh:web1` … */
  readonly name: string;
  /** Absent: it is the machine we run on. Asked once, when the backend is first used. */
  surroundings?(): Promise<Surroundings>;
  exec(request: ExecRequest, io: ExecIO): Promise<ExecResult>;
  /** Absent where commands cannot outlive their call. */
  jobs?(): Promise<BackendJobs>;
  readonly files: BackendFiles;
  /** What of a confinement and of limits the backend can enforce; looked at once and remembered. */
  enforcement(): Promise<Enforcement>;
  /** Absolute path of the program that `name` would run with this PATH, or null. */
  which(name: string, path: string): Promise<string | null>;
  info(): Promise<SystemInfo>;
  status(signal: AbortSignal): Promise<SystemStatus>;
  health(): Promise<BackendHealth>;
}

/** All machines of one kind, such as the hosts that are reached by SSH. */
export interface BackendFamily extends AsyncDisposable {
  /**
   * @param target what follows the colon of a backend's name; undefined: whichever machine the family chooses
   * @throws Failure `not_found`, `not_configured`; `invalid_input` for a group
   */
  open(target: string | undefined): Promise<Backend>;
  /** Names that can follow the colon, as far as they are known beforehand, for messages. */
  targets(): readonly string[];
  /** Names of the backends of a group (`@web`); undefined where `target` means one machine. @throws Failure `not_found` */
  members?(target: string): readonly string[] | undefined;
}
