/** Programs that show files, compare them, or tell something of the machine. */
import { controls, type Program, reader, reads, unknown, writes } from './program.ts';

const teller = (names: string, about: string): Program => ({ names, class: 'reads', about });

/** `+10` and `+/text` only move; other commands can run programs. */
const HARMLESS_START = /^\+{1,2}(?:\d*[gGFp%]?|\/[^\n]*)$/;

export const VIEWERS: readonly Program[] = [
  reader('cat gcat more zcat bzcat xzcat zstdcat lz4cat zmore xzless hexyl namei getfacl lsattr pathchk', 'shows files'),
  reader('ls gls dir vdir exa eza lsd', 'shows folders', {
    text: '-I --ignore -w --width -T --tabsize --level --hide --sort --time --time-style --format --block-size --quoting-style',
  }),
  reader('stat gstat', 'shows what is known of files', { text: '-c --format --printf' }),
  reader('wc gwc', 'counts', { reads: '--files0-from' }),
  reader('readlink greadlink realpath', 'shows where links lead', { text: '--relative-to --relative-base' }),
  reader('du gdu df', 'shows how much space is used', {
    text: '-d --max-depth -t --threshold -B --block-size --exclude --output? --time? --time-style',
    reads: '-X --exclude-from --files0-from',
  }),
  reader('head tail ghead gtail', 'shows the beginning or the end of files', {
    text: '-n --lines -c --bytes -s --sleep-interval --pid --max-unchanged-stats',
  }),
  reader('md5sum sha1sum sha224sum sha256sum sha384sum sha512sum b2sum b3sum cksum sum md5 shasum', 'calculates checksums', {
    text: '-a --algorithm -l --length',
  }),
  reader('diff gdiff zdiff colordiff difft wdiff', 'compares files', {
    reads: '-X --exclude-from --from-file --to-file',
    text: '-U -C -I -x -F -W -L --label --width --unified? --context? --exclude --ignore-matching-lines --color? --show-function-line --line-format --old-line-format --new-line-format --unchanged-line-format --palette --tabsize --horizon-lines',
  }),
  reader('cmp zcmp', 'compares files', { text: '-n --bytes -i --ignore-initial' }),
  reader('diff3', 'compares three files', { program: '--diff-program', text: '-L --label' }),
  {
    names: 'sdiff',
    class: 'reads',
    about: 'compares files side by side',
    grammar: { values: { program: '--diff-program', writes: '-o --output', text: '-w --width -I' }, careful: true },
    operands: 'reads',
  },
  reader('od god', 'shows bytes', {
    text: '-A -j -N -S -t -w? --address-radix --skip-bytes --read-bytes --strings? --format --width?',
  }),
  reader('hexdump hd', 'shows bytes', { text: '-e -n -s --format --length --skip', reads: '-f --format-file' }),
  reader('base64 base32 basenc gbase64', 'turns bytes into text', { text: '-w --wrap' }),
  reader('strings', 'shows the text in files', {
    text: '-n -e -t -T -s --bytes --encoding --radix --target --output-separator',
  }),
  reader('nm objdump readelf size addr2line c++filt', 'shows what is in object files', {
    'runs file': '--plugin',
    reads: '-e --exe',
    text: '-j --section -M --disassembler-options -x --hex-dump -p --string-dump -R --relocated-dump --start-address --stop-address -m --architecture',
  }),
  { names: 'ldd', class: 'runs', about: 'shows the libraries of a program, which its loader may run', operands: 'runs file' },
  {
    names: 'xxd',
    class: 'reads',
    about: 'shows bytes, or makes them of what it showed',
    grammar: { values: { text: '-c -cols -g -groupsize -l -len -n -name -o -s -seek -R' }, oneDash: true },
    operands: ['reads', 'writes'],
  },
  {
    names: 'file',
    class: 'reads',
    about: 'tells what files are',
    grammar: {
      values: { reads: '-m --magic-file -f --files-from', text: '-F --separator -e --exclude -P --parameter' },
      flags: '-C --compile',
    },
    operands: 'reads',
    read: (_args, taken) => (taken.has('-C', '--compile') ? [writes('.')] : []),
  },
  {
    names: 'tree',
    class: 'reads',
    about: 'shows folders',
    grammar: { values: { writes: '-o', text: '-L -P -I -H -T --charset --filelimit --timefmt --sort? --gitfile --infofile' } },
    operands: 'reads',
  },
  {
    names: 'bat batcat',
    class: 'reads',
    about: 'shows files',
    grammar: {
      values: {
        script: '--pager',
        text: '-l --language -H --highlight-line --theme --style -r --line-range --paging --color --tabs --wrap -m --map-syntax --file-name --terminal-width',
      },
      exact: true,
      careful: true,
    },
    operands: 'reads',
  },
  {
    names: 'delta diff-so-fancy',
    class: 'reads',
    about: 'shows differences',
    grammar: { values: { script: '--pager', reads: '--config' }, exact: true, careful: true },
    operands: 'reads',
  },
  {
    names: 'less most pg zless',
    class: 'reads',
    about: 'shows files; `+` and a command at the start can run programs',
    grammar: {
      values: {
        writes: '-o -O --log-file --LOG-FILE',
        'runs file': '-k --lesskey-file --lesskey-src',
        code: '--lesskey-content --cmd',
        reads: '-T --tag-file',
        text: '-t --tag -P --prompt -p --pattern -x --tabs -b --buffers -h -j -y -z -D --color --mouse? --wheel-lines -#',
      },
      careful: true,
    },
    read: (_args, { operands }) =>
      operands.flatMap((word) => {
        if (!word.value?.startsWith('+')) return [reads(word)];
        return HARMLESS_START.test(word.value)
          ? []
          : [unknown(`gets the command ${word.value.slice(0, 20)}, which can run programs`)];
      }),
  },
  {
    names: 'man',
    class: 'reads',
    about: 'shows manual pages',
    grammar: {
      values: {
        script: '-P --pager -H? --html?',
        unknown: '-C --config-file -X? --gxditview?',
        reads: '-M --manpath',
        text: '-p --preprocessor -s -S --sections -L --locale -T? --troff-device? -R --recode -m --systems -e --extension -r --prompt -E --encoding --warnings? --path',
      },
      careful: true,
    },
  },
  {
    names: 'info',
    class: 'reads',
    about: 'shows manuals',
    grammar: {
      values: {
        writes: '-o --output --dribble',
        reads: '-f --file -d --directory',
        'runs file': '--restore --init-file',
        text: '-n --node -k --apropos --index-search',
      },
    },
  },
  teller(
    'basename dirname seq yes cal ncal expr factor sleep tput clear reset tset which which.debianutils whereis whatis apropos locale getconf nproc uptime uname arch whoami id groups users logname who w last lastlog tty stty printenv hostid free vmstat iostat mpstat sar lscpu lsmem lsblk lspci lsusb lsmod modinfo blkid findmnt lsns lsof ps pgrep pidof pwdx pmap top htop btop pstree netstat lslocks lslogins getent ipcs numfmt bc units sensors mesg getopt cowsay figlet fortune neofetch tzselect zdump localectl-status systemd-analyze systemd-detect-virt sestatus getenforce',
    'tells something',
  ),
  {
    names: 'locate plocate mlocate',
    class: 'reads',
    about: 'finds files by name',
    grammar: { values: { reads: '-d --database', text: '-n -l --limit' } },
  },
  {
    names: 'date gdate',
    class: 'reads',
    about: 'tells the time; -s and a plain number set it',
    grammar: {
      values: { special: '-s --set', reads: '-f --file -r --reference', text: '-d --date -I? --iso-8601? --rfc-3339 -v -j' },
      flags: '-R --rfc-email -u --utc',
    },
    read: (_args, taken) =>
      taken.has('-s', '--set') ||
      (!taken.has('-d', '-j') && taken.operands.some(({ value }) => value !== undefined && /^\d+(?:\.\d+)?$/.test(value)))
        ? [controls('sets the clock')]
        : [],
  },
  {
    names: 'dmesg journalctl',
    class: 'reads',
    about: 'shows what the system has written down',
    grammar: {
      values: {
        reads: '-F --file -D --directory',
        text: '-u --unit -n --lines? -S --since -U --until -p --priority -o --output -t --identifier -b? --boot? -g --grep -k --facility -f -l --level -M --machine --user-unit --cursor',
        special: '--vacuum-size --vacuum-time --vacuum-files',
      },
      flags:
        '--rotate --flush --clear --read-clear --console-off --console-on --setup-keys --update-catalog --relinquish-var --sync',
    },
    read: (args, taken) =>
      taken.has(
        '--vacuum-size',
        '--vacuum-time',
        '--vacuum-files',
        '--rotate',
        '--flush',
        '--clear',
        '--read-clear',
        '--console-off',
        '--console-on',
        '--setup-keys',
        '--update-catalog',
      ) || args.some(({ value }) => value === '-C' || value === '-c')
        ? [controls('changes what the system has written down')]
        : [],
  },
  {
    names: 'ss',
    class: 'reads',
    about: 'shows connections; -K ends them',
    grammar: { values: { text: '-f -A -F -N --family --query', writes: '-D --diag' }, flags: '--kill' },
    read: (_args, taken) => (taken.has('-K', '--kill') ? [controls('ends connections')] : []),
  },
];
