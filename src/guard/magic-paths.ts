/** Paths that are no plain files although they look like some: doors into processes, devices, the kernel's interface. */
import type { PathUse } from './paths.ts';

/** Doors through a process (proc(5)). Plain facts of /proc, like /proc/meminfo or /proc/self/status, are none. */
const PROCESS_DOORS =
  /^\/proc\/(?:self|thread-self|\d+)\/(?:task\/\d+\/)?(?:root|cwd|exe|fd|fdinfo|map_files|mem|environ|pagemap|maps|numa_maps|smaps|auxv|syscall|stack)(?:\/|$)/;
/** The machine's memory, and messages that a reader waits for without end. */
const KERNEL_DOORS =
  /^\/(?:proc\/(?:kcore|vmcore|kmsg|kpagecount|kpageflags|kpagecgroup|sysrq-trigger)|sys\/kernel\/(?:debug|tracing))(?:\/|$)/;
const KERNEL_FOLDERS = /^\/(?:proc|sys|dev)(?:\/|$)/;

/** Why a path may not be used so whatever the rules allow; undefined when nothing speaks against it. */
export function magicReason(path: string, use: PathUse): string | undefined {
  if (PROCESS_DOORS.test(path)) return 'it leads into a process';
  if (KERNEL_DOORS.test(path)) return 'it leads into the kernel';
  const shared = path === '/dev/shm' || path.startsWith('/dev/shm/');
  if (path.startsWith('/dev/') && !shared) return 'it is a device';
  if (use === 'write' && KERNEL_FOLDERS.test(path)) return 'it is part of the kernel’s interface';
  if (use === 'search' && KERNEL_FOLDERS.test(path) && !shared)
    return 'files of the kernel’s interface are read one by one, not searched';
  return undefined;
}
