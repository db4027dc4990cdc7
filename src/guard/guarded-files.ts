import type {
  BackendFiles,
  FileInfo,
  FolderListing,
  ListOptions,
  OpenFile,
  SearchRequest,
  SearchResult,
  WriteOptions,
} from '../backends/backend.ts';
import type { PathPolicy } from './paths.ts';

/** Files as tools see them: where a path leads is judged by the policy, on what was opened. */
export interface GuardedFiles {
  /** Does not follow a final symbolic link. */
  stat(path: string): Promise<FileInfo>;
  /** The path with its links resolved, if it may be read. */
  resolve(path: string): Promise<string>;
  open(path: string): Promise<OpenFile>;
  write(path: string, data: Uint8Array, options: WriteOptions): Promise<FileInfo>;
  list(path: string, options: ListOptions): Promise<FolderListing>;
  search(request: SearchRequest, signal: AbortSignal): Promise<SearchResult>;
}

/** The files of a backend behind the path policy. Paths may be relative to the workspace. Rejects with Failure `denied`. */
export function guardFiles(files: BackendFiles, policy: PathPolicy): GuardedFiles {
  const { absolute, judge } = policy;
  return {
    stat: async (path) => files.stat(absolute(path), judge(path, 'look at')),
    resolve: (path) => policy.allow(path, 'read'),
    open: async (path) => files.open(absolute(path), judge(path, 'read')),
    write: async (path, data, options) => files.write(absolute(path), data, options, judge(path, 'write')),
    list: async (path, options) => files.list(absolute(path), options, judge(path, 'read')),
    search: async (request, signal) =>
      files.search({ ...request, directory: absolute(request.directory) }, signal, judge(request.directory, 'search')),
  };
}
