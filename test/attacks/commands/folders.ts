/** Programs that are run in another folder than the shell's: relative names mean other things there. */
import { type Attack, scripts } from './attack.ts';

export const FOLDERS: readonly Attack[] = [
  ...scripts({
    'env writes': 'env -C .. touch outside/new.txt',
    'env writes from further away': 'env -C ../outside/empty touch ../new.txt',
    'env runs a shell that writes': `env --chdir=.. sh -c 'echo x > outside/new.txt'`,
    'env runs a shell that goes on': `env -C .. sh -c 'cd outside; echo x > new.txt'`,
    'env in env': 'env -C .. env -C outside touch new.txt',
    'xargs runs env': 'echo outside/new.txt | xargs env -C .. touch',
    'find writes': 'find .. -maxdepth 1 -name outside -execdir touch outside/new.txt \\;',
    'find writes upwards': 'find sub -execdir touch ../outside/new.txt \\;',
    'git runs an alias': "git -C .. init -q . ; git -C .. -c alias.x='!touch outside/new.txt' x",
    'make runs a script': `git -C ../outside --version; printf 'x:\\n\\ttouch new.txt\\n' > m; make -s -C ../outside -f "$PWD/m" x`,
  }),
  ...scripts({
    'by env': 'env -C sub ./tool @WORKSPACE@/keep.txt',
    'by cd': 'cd sub && ./tool @WORKSPACE@/keep.txt',
    'by cd that comes and goes': 'cd sub; ./tool @WORKSPACE@/keep.txt; cd ..',
    'by find': 'find sub -name x.txt -execdir ./tool @WORKSPACE@/keep.txt \\;',
    'by a shell inside': "sh -c 'cd sub; exec ./tool @WORKSPACE@/keep.txt'",
  }).map(
    (attack): Attack => ({
      ...attack,
      name: `a link of the same name, ${attack.name}`,
      links: { tool: '/bin/ls', 'sub/tool': '/bin/rm' },
      files: { 'sub/x.txt': 'x' },
    }),
  ),
];
