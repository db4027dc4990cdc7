/** Programs that act on the machine itself. */
import type { Word } from '../shell/script.ts';
import type { Program } from './program.ts';

const controls = (names: string, about: string): Program => ({ names, class: 'controls', about });

/** Acts on the machine, but for uses that only show. */
const showsOr = (names: string, about: string, shows: (words: readonly (string | undefined)[]) => boolean): readonly Program[] =>
  names.split(' ').map((name) => ({
    names: name,
    class: 'reads',
    about: `${about}, but for what only shows`,
    read: (args: readonly Word[]) =>
      shows(args.map(({ value }) => value)) ? [] : [{ kind: 'controls' as const, reason: about }],
  }));

const first = (words: readonly (string | undefined)[]) => words.find((word) => word === undefined || !word.startsWith('-'));

export const SYSTEM: readonly Program[] = [
  controls('shutdown reboot halt poweroff init telinit systemctl-start kexec wall', 'ends or restarts the machine'),
  controls(
    'mkfs mke2fs mkswap fdisk sfdisk cfdisk parted gdisk sgdisk wipefs blkdiscard hdparm nvme losetup cryptsetup mdadm lvm pvcreate vgcreate lvcreate lvremove zpool btrfs resize2fs tune2fs fsck e2fsck badblocks swapon swapoff umount fusermount pivot_root quotacheck',
    'changes disks',
  ),
  controls('modprobe insmod rmmod depmod', 'changes the kernel'),
  controls(
    'useradd userdel usermod adduser deluser addgroup delgroup groupadd groupdel groupmod passwd chpasswd gpasswd vipw vigr visudo chsh chfn newusers',
    'changes users',
  ),
  controls(
    'dpkg-reconfigure update-alternatives update-rc.d update-initramfs update-grub grub-install grub-mkconfig debootstrap ldconfig setcap setenforce semanage aa-enforce aa-disable apparmor_parser auditctl',
    'changes the system',
  ),
  controls(
    'iptables ip6tables nft ufw firewall-cmd iptables-restore ebtables tc brctl ifconfig ifup ifdown dhclient wpa_supplicant route',
    'changes the network',
  ),
  ...showsOr(
    'apt apt-get aptitude apt-cache',
    'installs software',
    (words) =>
      /^(?:list|search|show|policy|depends|rdepends|madison|showpkg|changelog|help|moo)$/.test(first(words) ?? '') ||
      words.every((word) => word?.startsWith('-')),
  ),
  ...showsOr(
    'dpkg rpm',
    'installs software',
    (words) =>
      words.length > 0 &&
      /^(?:-[lLsSqpVc]\w*|--(?:list|listfiles|status|search|query|print-architecture|version|get-selections|verify))$/.test(
        words[0] ?? '',
      ),
  ),
  ...showsOr('yum dnf zypper apk pacman snap flatpak brew port nix nix-env guix emerge', 'installs software', (words) =>
    /^(?:list|search|info|show|provides|repolist|why|deps|leaves|config|doctor|outdated|--version|-Q\w*|-Ss|-Si|eval|flake|develop|shell|build)$/.test(
      words[0] ?? '',
    ),
  ),
  ...showsOr(
    'systemctl service rc-service launchctl',
    'starts and stops services',
    (words) =>
      /^(?:status|is-active|is-enabled|is-failed|list-units|list-unit-files|list-timers|list-sockets|list-dependencies|show|cat|get-default|list|print)$/.test(
        first(words) ?? 'list-units',
      ) ||
      words[1] === 'status' ||
      words.includes('--status-all'),
  ),
  ...showsOr('ip', 'changes the network', (words) =>
    words.every(
      (word) =>
        word !== undefined &&
        !/^(?:add|del|delete|set|change|replace|flush|append|exec|netns|vrf|tuntap|restore|save)$/.test(word),
    ),
  ),
  ...showsOr('sysctl', 'changes the kernel', (words) =>
    words.every((word) => word !== undefined && !word.includes('=') && !/^(?:-w|--write|-p|--load|--system|-f)/.test(word)),
  ),
  ...showsOr('mount', 'changes disks', (words) =>
    words.every((word) => word !== undefined && /^(?:-l|-v|-V|--show-labels|--version)$/.test(word)),
  ),
  ...showsOr('hostname hostnamectl timedatectl localectl loginctl', 'changes the system', (words) =>
    words.every(
      (word) =>
        word !== undefined &&
        (word.startsWith('-')
          ? !/^(?:-F|-b|--file|--boot)/.test(word)
          : /^(?:status|show|list-sessions|list-users|list-timezones)$/.test(word)),
    ),
  ),
  { names: 'kill pkill killall killall5 skill fuser', class: 'writes', about: 'ends processes, in the sandbox only its own' },
];
