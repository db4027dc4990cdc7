import type { BackendFiles } from '../backends/backend.ts';
import type { PathPolicy } from './paths.ts';

/** The files of a backend behind the path policy. */
export function guardFiles(files: BackendFiles, policy: PathPolicy): BackendFiles {
  return {
    stat: async (path) => files.stat(await policy.allowEntry(path)),
    resolve: (path) => policy.allow(path, 'read'),
    open: async (path) => files.open(await policy.allow(path, 'read')),
    write: async (path, data, options) => files.write(await policy.allow(path, 'write'), data, options),
    async list(path, options) {
      const [folder, isOurs] = await Promise.all([policy.allow(path, 'read'), policy.protectedTest()]);
      const found = await files.list(folder, options);
      return { ...found, entries: found.entries.filter((entry) => !isOurs(entry.path)) };
    },
    async search(request, signal) {
      const [directory, isOurs] = await Promise.all([policy.allow(request.directory, 'search'), policy.protectedTest()]);
      const found = await files.search({ ...request, directory }, signal);
      const below = directory === '/' ? '' : directory;
      return { ...found, matches: found.matches.filter(({ path }) => !isOurs(`${below}/${path}`)) };
    },
  };
}
