/** What the system says about files, as failures a caller can act on. */
import { Failure } from '../errors.ts';

/** A handler that turns a system error into a failure about `path`; failures pass. */
export function refuse(path: string): (thrown: unknown) => never {
  return (thrown) => {
    throw asFailure(path, thrown);
  };
}

export function asFailure(path: string, thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  const error = thrown as NodeJS.ErrnoException;
  const options = { cause: error };
  switch (error.code) {
    case 'ENOENT':
      return new Failure('not_found', `${path} does not exist.`, options);
    case 'EACCES':
    case 'EPERM':
      return new Failure('denied', `The system does not permit this on ${path}.`, options);
    case 'ENOTDIR':
      return new Failure('invalid_input', `A part of ${path} is a file, not a folder.`, options);
    case 'EISDIR':
      return new Failure('invalid_input', `${path} is a folder.`, options);
    case 'ELOOP':
      return new Failure('invalid_input', `${path} leads through links in a circle.`, options);
    case 'ENAMETOOLONG':
    case 'EINVAL':
      return new Failure('invalid_input', `${path} is not a path this system can use.`, options);
    case 'ENXIO':
      return new Failure('invalid_input', `${path} is a socket or device, not a regular file.`, options);
    case 'ENOSPC':
    case 'EDQUOT':
      return new Failure('unavailable', `There is no room left to write ${path}.`, options);
    case 'EROFS':
      return new Failure('denied', `${path} is on a read-only file system.`, options);
    default:
      return new Failure('unavailable', `${path}: ${error.message}`, options);
  }
}

interface Kinds {
  isDirectory(): boolean;
  isFIFO(): boolean;
  isSocket(): boolean;
  isSymbolicLink(): boolean;
}

/** For what is neither read nor replaced: folders, FIFOs, sockets, devices. */
export function notRegular(path: string, stats: Kinds): Failure {
  const what = stats.isDirectory() ? 'a folder' : stats.isFIFO() ? 'a FIFO' : stats.isSocket() ? 'a socket' : 'a device';
  return new Failure('invalid_input', `${path} is ${what}, not a regular file.`, {
    ...(stats.isDirectory() && { hint: 'List it with list_directory.' }),
  });
}

/** For what other programs move, link or replace faster than it can be looked at. */
export function unsteady(path: string): Failure {
  return new Failure('conflict', `${path} is being moved or replaced by somebody else.`, {
    hint: 'Try again once that has ended.',
  });
}
