/** Allowed programs whose own small languages run others, and shells that they feed. */
import { type Attack, scripts } from './attack.ts';

const EVIL = '#!/bin/sh\nrm keep.txt\n';
const UNLINK = 'import fs from "fs"; fs.unlinkSync("keep.txt")';

export const INNER_LANGUAGES: readonly Attack[] = [
  ...scripts({
    'sed, parted by brackets': `echo x | sed 's[x[rm keep.txt[e;#]'`,
    'sed, an address parted by brackets': `echo x | sed '\\[x[e rm keep.txt\n#]'`,
    'awk, between quotes that are expressions': `awk 'BEGIN { print /"/; system("rm keep.txt"); print /"/ }' < /dev/null`,
    'awk, between quotes behind a dollar': `awk 'BEGIN { print $/"/; system("rm keep.txt"); print /"/ }' < /dev/null`,
    'awk, divided by': `awk 'BEGIN { z = /a/ / system("rm keep.txt") / 1 }' < /dev/null`,
    'awk feeds a shell': `awk 'BEGIN { print "rm keep.txt" | "sh" }' < /dev/null`,
    'awk feeds a shell what it reads': `echo 'rm keep.txt' > s; awk '{ print | "sh" }' s`,
    'tar feeds a shell what it unpacks': `echo 'rm keep.txt' > s; tar cf s.tar s; tar xf s.tar --to-command=sh`,
    'split feeds a shell': `echo 'rm keep.txt' > s; split --filter=sh s`,
    'git feeds a shell what it filters':
      "git init -q r; cd r; echo 'rm ../keep.txt' > s; echo '* filter=x' > .gitattributes; git -c filter.x.clean=sh add s",
    'a coprocess that is a shell': `[[ x ]]; coproc sh; echo 'rm keep.txt' >&63; wait`,
    'a shell in a process substitution that is written to': `[[ x ]]; echo 'rm keep.txt' > >(sh); sleep 0.2`,
    'a shell in a process substitution behind a descriptor': `exec 3> >(sh); echo 'rm keep.txt' >&3; exec 3>&-; sleep 0.2`,
    'Node, a module in an address': `echo 0 > ok.js; node --import 'data:text/javascript,${UNLINK}' ok.js`,
    'Node, a module in an address, spelled otherwise': `echo 0 > ok.js; node --experimental_loader='data:text/javascript,${UNLINK}' ok.js`,
    'Node, a reporter in an address': `mkdir t; node --test --test-reporter='data:text/javascript,${UNLINK}; export default async function* () {}' t`,
    'Node, a module in an address of a file': `echo 'require("fs").unlinkSync("keep.txt")' > e.cjs; echo 0 > ok.js; node --import "file://$PWD/e.cjs" ok.js`,
    'Node, warnings into a file outside': `echo 'process.emitWarning("x")' > ok.js; node --redirect_warnings=../outside/new.txt ok.js`,
    'Node, a log of V8 outside': `echo 0 > ok.js; node --log-all --no-logfile-per-isolate --logfile=../outside/new.txt ok.js`,
    'Python, JSON into a file outside': 'echo 1 > x.json; python3 -m json.tool x.json ../outside/new.txt',
    'Python, an archive outside': `echo x > new.txt; python3 -c 0; tar cf x.tar new.txt; python3 -m tarfile -e x.tar ../outside`,
    'Python goes on with its input': `echo > ok.py; echo 'import os; os.remove("keep.txt")' | python3 -i ok.py`,
    'a program that is not known': 'memusage rm keep.txt',
    'another shell': `zsh5 -c 'rm keep.txt' || rksh -c 'rm keep.txt'`,
  }),
  {
    name: 'the debugger of Node takes commands',
    command: 'node inspect ok.js',
    stdin: `exec('process.mainModule.require("fs").unlinkSync("keep.txt")')\n`,
    files: { 'ok.js': 'debugger;\n' },
    unproved: 'it needs a port',
  },
  ...scripts({
    'git obeys a file that is copied into its folder': 'cp evil/config .git/; git x',
    'git obeys a file that is copied over its own': 'cp evil/config .git; git x',
    'git obeys a file that is moved there from within': 'cd .git && cp ../evil/config . ; cd ..; git x',
    'git obeys a folder that becomes its own':
      'rm -rf .git/y; mkdir n; cd n; cp -r ../.git g; cp ../evil/config g; cp -r g .git; git x',
  }).map(
    (attack): Attack => ({
      ...attack,
      repository: true,
      files: {
        'evil/config': '[core]\n\trepositoryformatversion = 0\n[alias]\n\tx = !rm -f @WORKSPACE@/keep.txt\n',
        'evil.sh': EVIL,
      },
      under: 'deny-list',
    }),
  ),
];
