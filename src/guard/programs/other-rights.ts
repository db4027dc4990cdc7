/** Programs that run others with other rights, in another world, later, or where nobody sees them. */
import type { Grammar } from './options.ts';
import { controls, type Program, runs, unknown } from './program.ts';
import { wrapper } from './wrapper.ts';

const privileged = (names: string, about: string, grammar: Grammar = {}): Program => ({
  ...wrapper(names, about, grammar),
  class: 'controls',
});

export const OTHER_RIGHTS: readonly Program[] = [
  {
    names: 'xterm gnome-terminal konsole alacritty kitty wezterm foot',
    class: 'runs',
    about: 'runs programs in windows',
    read: (args) => (args.length > 0 ? [unknown('runs what its options say')] : []),
  },
  {
    names: 'tmux',
    class: 'runs',
    about: 'runs programs in terminals of their own',
    grammar: { values: { 'runs file': '-f', text: '-L -S -T', script: '-c' }, optionsFirst: true, careful: true },
    read: (_args, { operands: [command] }) =>
      command &&
      !/^(?:ls|list-\w+|has(?:-session)?|display(?:-message)?|capture-pane|show\w*(?:-\w+)?|info|kill-\w+|detach\w*)$/.test(
        command.value ?? '',
      )
        ? [unknown('runs programs that are not followed')]
        : [],
  },
  {
    names: 'screen byobu zellij dtach abduco',
    class: 'runs',
    about: 'runs programs in terminals of their own',
    read: (args) =>
      args.length === 1 && /^(?:-ls|-list|-v|--version|--help)$/.test(args[0]?.value ?? '')
        ? []
        : [unknown('runs programs that are not followed')],
  },
  privileged('sudo doas pkexec gosu su-exec', 'runs a program with the rights of another user', {
    values: {
      text: '-u --user -g --group -h --host -p --prompt -C --close-from -r --role -t --type -U --other-user -T --command-timeout -a',
      'works in': '-D --chdir',
      unknown: '-R --chroot',
    },
  }),
  {
    names: 'su runuser sg newgrp',
    class: 'controls',
    about: 'runs a shell as another user',
    grammar: {
      values: {
        script: '-c --command --session-command',
        program: '-s --shell',
        text: '-g --group -G --supp-group -u --user -w --whitelist-environment',
      },
    },
    read: (_args, taken) => (taken.has('-u', '--user') ? runs(taken.operands) : []),
  },
  privileged('unshare nsenter setpriv', 'runs a program in another world', {
    values: {
      text: '-t --target -S --setuid -G --setgid --map-user --map-group --reuid --regid --groups --clear-groups --propagation',
      unknown: '-R --root -w --wd',
    },
  }),
  {
    names: 'bwrap firejail proot fakechroot systemd-nspawn cgexec capsh',
    class: 'controls',
    about: 'runs a program in another world',
    read: () => [unknown('runs what its arguments say')],
  },
  {
    ...privileged('chroot', 'runs a program in another world', { values: { text: '--userspec --groups' } }),
    operands: ['unknown', 'argv'],
  },
  {
    names: 'start-stop-daemon daemonize systemd-run at batch',
    class: 'controls',
    about: 'has programs run later, or by others',
    grammar: {
      values: {
        special: '-x --exec -a --startas',
        'works in': '-d --chdir --working-directory',
        'runs file': '-f',
        text: '-p --property --pidfile -u --unit --uid --gid -g --group -c --chuid -n --name -t --slice --description -E --setenv -M --machine -H --host --on-active --on-calendar',
      },
      flags: '--start --stop --status --pty --pipe --scope',
      optionsFirst: true,
    },
    operands: 'argv',
    read: (_args, taken) => runs(taken.values('-x', '--exec', '-a', '--startas').slice(-1)),
  },
  {
    names: 'crontab atq atrm',
    class: 'reads',
    about: 'has programs run later; -l shows them',
    read: (args) => (args.every(({ value }) => value === '-l') ? [] : [controls('has programs run later')]),
  },
  { names: 'mcp-python', class: 'controls', about: 'is this program: what it may do is for people to say' },
];
