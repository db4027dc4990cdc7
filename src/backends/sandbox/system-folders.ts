/** What of a machine every program needs to see, where reading is confined to listed folders. */
import { lstatSync, readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { basename, dirname, isAbsolute, join } from 'node:path';

/** Folders right below `/` with programs, libraries and the system's configuration; Nix and Guix keep theirs in stores. */
const SYSTEM = /^(?:usr|bin|sbin|lib\w*|etc|opt|nix|gnu|sys)$/;
/** Further ones: certificates that `/etc` links to (openSUSE), Homebrew on Linux. */
const FURTHER = ['/var/lib/ca-certificates', '/home/linuxbrew/.linuxbrew'];
/** Folders beside `bin` that make its parent a place where software was installed to. */
const INSTALLED = ['lib', 'lib64', 'libexec', 'Cellar', 'versions'];

export interface SystemFolders {
  /** Absolute and real. */
  readonly folders: readonly string[];
  /** Links right below `/` (`/bin` on most systems), with what is written in them. */
  readonly links: readonly { readonly path: string; readonly target: string }[];
}

/**
 * @param path the command's PATH: the software that its folders belong to can be read
 * @param home a folder that is never taken for one where software was installed to
 */
export function systemFolders(path: string, home: string): SystemFolders {
  const folders = new Set<string>();
  const links: { path: string; target: string }[] = [];
  for (const name of readdirSync('/').filter((each) => SYSTEM.test(each))) {
    const place = `/${name}`;
    if (lstatSync(place).isSymbolicLink()) links.push({ path: place, target: readlinkSync(place) });
    else folders.add(place);
  }
  const entries = path.split(':').filter(isAbsolute);
  for (const place of [...FURTHER, ...entries.flatMap((entry) => softwareOf(entry, home))]) {
    const real = realFolder(place);
    if (real) folders.add(real);
  }
  return { folders: [...folders], links };
}

function softwareOf(entry: string, home: string): string[] {
  const prefix = dirname(entry);
  const isPrefix = ['bin', 'sbin', 'shims'].includes(basename(entry)) && INSTALLED.some((name) => realFolder(join(prefix, name)));
  // `~/.local` holds far more than software.
  if (prefix === join(home, '.local')) return [entry, join(prefix, 'lib')];
  return isPrefix && prefix !== home && prefix !== '/' ? [prefix] : [entry];
}

function realFolder(path: string): string | undefined {
  try {
    const real = realpathSync(path);
    return lstatSync(real).isDirectory() ? real : undefined;
  } catch {
    return undefined;
  }
}
