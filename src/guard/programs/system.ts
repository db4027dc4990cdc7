/** Programs that act on the machine itself. */
import type { Word } from '../shell/script.ts';
import { controls, type Program, reads, runsCode, unknown, withoutOptions } from './program.ts';

const acts = (names: string, about: string): Program => ({ names, class: 'controls', about });

/** Acts on the machine, but for uses that only show something. */
const actsOrShows = (names: string, about: string, shows: (args: readonly string[]) => boolean): Program => ({
  names,
  class: 'reads',
  about: `${about}; uses that only show something are told apart`,
  read: (args: readonly Word[]) => {
    const values = args.map(({ value }) => value);
    return values.every((value) => value !== undefined) && shows(values) ? [] : [controls(about)];
  },
});

const operand = (args: readonly string[]) => args.find((arg) => !arg.startsWith('-')) ?? '';
const only =
  (options: RegExp) =>
  (args: readonly string[]): boolean =>
    args.every((arg) => options.test(arg));
const asks = only(/^(?:--version|--help|-V|-h)$/);

const APT_SHOWS =
  /^(?:list|search|show|showsrc|policy|depends|rdepends|madison|showpkg|changelog|help|moo|pkgnames|stats|dump|why|why-not|check|)$/;
const PACKAGE_SHOWS =
  /^(?:list|ls|search|info|show|provides|repolist|repoquery|why|deps|uses|leaves|config|doctor|outdated|desc|home|query|contents|changes|find|version|policy|history|--version|-Q\w*|-Ss|-Si|-Fy?|-F[ls]|--prefix|--cellar|--repository)$/;
const SERVICE_SHOWS =
  /^(?:status|is-active|is-enabled|is-failed|is-system-running|list-units|list-unit-files|list-timers|list-sockets|list-dependencies|list-jobs|list-machines|show|show-environment|cat|get-default|help|list|print|)$/;
const IP_CHANGES =
  /^(?:add|a|del|delete|set|change|chg|replace|flush|append|prepend|exec|restore|save|netns|vrf|tuntap|attach|detach)$/;

export const SYSTEM: readonly Program[] = [
  acts(
    'shutdown reboot halt poweroff init telinit runlevel kexec wall rtcwake pm-suspend pm-hibernate',
    'ends or restarts the machine',
  ),
  acts(
    'mkfs mkfs.ext2 mkfs.ext3 mkfs.ext4 mkfs.xfs mkfs.btrfs mkfs.vfat mkfs.fat mkfs.ntfs mkfs.exfat mkfs.f2fs mke2fs mkdosfs mkswap cfdisk gdisk sgdisk wipefs blkdiscard hdparm cryptsetup mdadm lvm pvcreate pvremove vgcreate vgremove vgextend lvcreate lvremove lvextend lvresize zpool zfs btrfs resize2fs xfs_growfs tune2fs e2label fsck fsck.ext4 e2fsck badblocks debugfs swapoff umount fusermount fusermount3 pivot_root quotacheck partprobe partx kpartx dmsetup sfdisk growpart',
    'changes disks',
  ),
  acts('insmod rmmod depmod dkms', 'changes the kernel'),
  acts(
    'useradd userdel usermod adduser deluser addgroup delgroup groupadd groupdel groupmod chpasswd gpasswd vipw vigr visudo chsh chfn newusers pwconv pwunconv grpconv chage newuidmap newgidmap',
    'changes users',
  ),
  acts(
    'dpkg-reconfigure dpkg-divert dpkg-statoverride update-rc.d update-initramfs update-grub grub-install grub-mkconfig grub2-mkconfig efibootmgr debootstrap setcap setenforce setsebool semanage restorecon chcon aa-enforce aa-disable aa-complain apparmor_parser auditctl do-release-upgrade update-ca-certificates chroot-setup sysctl.d mkinitcpio dracut',
    'changes the system',
  ),
  acts(
    'ip6tables-restore iptables-restore iptables-apply firewall-cmd ebtables arptables brctl bridge ifup ifdown dhclient dhcpcd wpa_supplicant iw iwconfig nmtui wg-quick openvpn tailscale ethtool',
    'changes the network',
  ),
  actsOrShows(
    'apt apt-get aptitude apt-cache',
    'installs software',
    (args) => APT_SHOWS.test(operand(args)) && !args.some((arg) => /^-(?:o|c)|^--(?:option|config)/.test(arg)),
  ),
  actsOrShows(
    'apt-mark apt-key add-apt-repository apt-config',
    'changes how software is installed',
    (args) => /^(?:show\w*|list|dump|finger|)$/.test(operand(args)) && args.length > 0,
  ),
  actsOrShows(
    'dpkg dpkg-query',
    'installs software',
    (args) =>
      /^(?:-[lLsSpW]\w*|--(?:list|listfiles|status|search|print-avail|show|print-architecture|version|get-selections|verify|audit|info|contents|compare-versions|help))$/.test(
        args[0] ?? '',
      ) || /^-(?:I|c)$/.test(args[0] ?? ''),
  ),
  {
    ...actsOrShows(
      'rpm',
      'installs software',
      (args) =>
        args.some((arg) => /^-q|^--(?:query|version|showrc|verify|checksig)|^-V/.test(arg)) &&
        !args.some((arg) => /^--(?:pipe|eval|define|load)|^-[ED]/.test(arg)),
    ),
  },
  {
    names: 'rpmbuild debuild dpkg-buildpackage makepkg mock',
    class: 'runs',
    about: 'builds packages as their files say',
    read: () => [{ kind: 'runs file', path: undefined }],
  },
  actsOrShows(
    'yum dnf dnf5 microdnf zypper apk pacman yay paru snap flatpak port emerge xbps-install pkg pkg_add opkg eopkg softwareupdate winget choco',
    'installs software',
    (args) => PACKAGE_SHOWS.test(args[0] ?? '') && !/^-Q\w*[DR]/.test(args[0] ?? ''),
  ),
  actsOrShows('brew', 'installs software', (args) => PACKAGE_SHOWS.test(args[0] ?? '')),
  actsOrShows(
    'systemctl',
    'starts and stops services',
    (args) => SERVICE_SHOWS.test(operand(args)) && !args.some((arg) => /^(?:-H|-M|--host|--machine|--root|--image)/.test(arg)),
  ),
  actsOrShows('service rc-service', 'starts and stops services', (args) => args[0] === '--status-all' || args[1] === 'status'),
  actsOrShows('launchctl supervisorctl initctl chkconfig rc-update sv rcctl', 'starts and stops services', (args) =>
    SERVICE_SHOWS.test(operand(args)),
  ),
  actsOrShows(
    'ip',
    'changes the network',
    (args) =>
      args.every((arg) => !IP_CHANGES.test(arg) && !/^-(?:b|batch|force)/.test(arg)) ||
      (/^(?:a|addr|address|link|route|r|neigh|rule)$/.test(operand(args)) &&
        args.filter((arg) => !arg.startsWith('-')).length === 1),
  ),
  actsOrShows(
    'ifconfig iwlist',
    'changes the network',
    (args) =>
      args.every((arg) => /^-[av]+$|^[a-z]+\d*[a-z\d]*$/.test(arg)) && args.filter((arg) => !arg.startsWith('-')).length < 2,
  ),
  actsOrShows('route arp', 'changes the network', only(/^-(?:n|e|ee|v|a|[46])+$|^--\w+$/)),
  actsOrShows(
    'iptables ip6tables',
    'changes the network',
    (args) =>
      args.some((arg) => /^(?:-L\w*|-S|--list|--list-rules|-[nvx]*L[nvx]*)$/.test(arg)) &&
      !args.some((arg) => /^-[AIDRFZNXPE]|^--(?:append|insert|delete|flush|zero|policy|modprobe)/.test(arg)),
  ),
  actsOrShows('iptables-save ip6tables-save', 'changes the network', only(/^-(?:c|t)$|^[a-z]+$/)),
  actsOrShows(
    'nft',
    'changes the network',
    (args) => operand(args) === 'list' && !args.some((arg) => /^-(?:f|i)|^--(?:file|interactive)|[;\n]/.test(arg)),
  ),
  actsOrShows('ufw', 'changes the network', (args) => args[0] === 'status' || args[0] === 'version' || args[0] === 'show'),
  actsOrShows(
    'tc nmcli resolvectl networkctl wg',
    'changes the network',
    (args) => args.some((arg) => /^(?:show|list|status|query|ls|s)$/.test(arg)) || args.length === 0,
  ),
  actsOrShows('sysctl', 'changes the kernel', (args) =>
    args.every((arg) => !arg.includes('=') && !/^(?:-w|-p|-f|--write|--load|--system)/.test(arg)),
  ),
  actsOrShows(
    'modprobe',
    'changes the kernel',
    (args) =>
      args.some((arg) => /^(?:-n|--dry-run|--show-depends|-c|--showconfig|-D|-R)$/.test(arg)) &&
      !args.some((arg) => /^(?:-C|--config|-d)/.test(arg)),
  ),
  actsOrShows(
    'mount',
    'changes disks',
    only(/^(?:-l|-v|-V|-h|--show-labels|--version|--help|-t)$|^(?:ext[234]|tmpfs|proc|nfs4?|cifs|xfs|btrfs|overlay)$/),
  ),
  actsOrShows('swapon losetup', 'changes disks', only(/^(?:-s|--show|-a|--all|-l|--list|--noheadings|--raw|--bytes|--json)$/)),
  actsOrShows('fdisk parted', 'changes disks', (args) => /^(?:-l|--list|-x)$/.test(args[0] ?? '') || asks(args)),
  actsOrShows(
    'lvs pvs vgs lvdisplay pvdisplay vgdisplay smartctl nvme dumpe2fs',
    'changes disks',
    (args) =>
      !args.some((arg) =>
        /^(?:-[sXto]|--(?:smart|test|offlineauto|saveauto|config)|format|sanitize|write|reset|fw-\w+|set-\w+)/.test(arg),
      ),
  ),
  actsOrShows('hostname domainname', 'changes the system', only(/^-(?:[adfiIsAyv]|-\w+)$/)),
  actsOrShows(
    'hostnamectl timedatectl localectl loginctl',
    'changes the system',
    (args) =>
      /^(?:status|show\w*|list-\w+|session-status|user-status|timesync-status|)$/.test(operand(args)) &&
      !args.some((arg) => /^-(?:H|M)|^--(?:host|machine)/.test(arg)),
  ),
  actsOrShows('update-alternatives', 'changes the system', (args) =>
    /^--(?:list|display|query|get-selections)$/.test(args[0] ?? ''),
  ),
  actsOrShows('ldconfig', 'changes the system', (args) => /^(?:-p|-V|--print-cache|--version)$/.test(args[0] ?? '')),
  actsOrShows('passwd', 'changes users', (args) => args[0] === '-S' || args[0] === '--status'),
  actsOrShows('getcap', 'changes the system', () => true),
  actsOrShows('lpr lp lpadmin cancel cupsctl', 'uses printers', asks),
  { names: 'kill pkill killall killall5 skill xkill', class: 'writes', about: 'ends processes, in the sandbox only its own' },
  {
    names: 'renice ipcrm logger chvt setterm fuser',
    class: 'writes',
    about: 'changes what other processes have',
    grammar: { flags: '-k --kill' },
  },
  {
    names: 'sysbench stress stress-ng',
    class: 'writes',
    about: 'keeps the machine busy',
    grammar: { values: { writes: '--temp-path', text: '--cpu --vm --io --hdd -c -m -i -t --timeout --vm-bytes' } },
  },
  { names: 'xclip xsel wl-copy wl-paste pbcopy pbpaste', class: 'writes', about: 'uses the clipboard', operands: 'reads' },
  { names: 'xdotool wmctrl ydotool', class: 'controls', about: 'acts on what is on the screen' },
  {
    names: 'strfile uuencode uudecode',
    class: 'writes',
    about: 'works on files',
    read: (args) => withoutOptions(args).map(reads),
  },
  {
    names: 'rpm2cpio rpmspec',
    class: 'runs',
    about: 'reads packages; macros can run programs',
    read: (args) =>
      args.some(({ value }) => /^--(?:eval|define)|^-[ED]/.test(value ?? ''))
        ? [runsCode('rpm', 'a macro')]
        : withoutOptions(args).map(reads),
  },
  {
    names: 'inotifywait fswatch watchexec watchman',
    class: 'runs',
    about: 'waits for files to change, and may run programs then',
    read: (args) =>
      args.length > 0 &&
      !args.some(({ value }) => value === '--' || value === undefined || /^(?:-s|--shell|--exec|-j)$/.test(value))
        ? []
        : [unknown('may run programs when files change')],
  },
];
