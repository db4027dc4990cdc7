#!/bin/sh
# A container around this machine's own files, in which systemd is the first process: started by unshare(1) in new
# namespaces, with everything that is written in memory. Arguments: folder for the root, executable, folder that both see.
set -e
root=$1 program=$2 shared=$3
mount --make-rprivate /
mount -t tmpfs tmpfs "$root"
mkdir "$root/upper" "$root/work" "$root/all"
mount -t overlay overlay -o "lowerdir=/,upperdir=$root/upper,workdir=$root/work" "$root/all"
cd "$root/all"
cp "$program" usr/local/bin/mcp-python
mkdir -p etc/mcp-python srv/app shared oldroot
cp "$shared/config.yaml" etc/mcp-python/config.yaml
chown games srv/app
mount --bind "$shared" shared

units=etc/systemd/system
rm -rf "$units"/*.wants
mkdir -p "$units/sockets.target.wants" "$units/multi-user.target.wants"
for role in serve host-agent; do
  chroot . /usr/local/bin/mcp-python service install "$role" --directory "/$units" --no-start >/dev/null
done
for name in mcp-python mcp-python-host-agent; do ln -s "../$name.socket" "$units/sockets.target.wants/"; done
for name in systemd-udevd systemd-udev-trigger systemd-resolved systemd-logind systemd-networkd dbus console-getty; do
  ln -sf /dev/null "$units/$name.service"
done
ln -sf /dev/null "$units/dbus.socket"
cat >"$units/probe.service" <<'UNIT'
[Unit]
After=mcp-python.socket mcp-python-host-agent.socket
[Service]
Type=oneshot
ExecStart=/bin/sh /shared/probe.sh
StandardOutput=file:/shared/told
StandardError=inherit
ExecStopPost=/bin/systemctl poweroff --force
UNIT
ln -s ../probe.service "$units/multi-user.target.wants/"

mount -t proc proc proc
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs dev
for device in null:3 zero:5 full:7 random:8 urandom:9; do mknod -m 666 "dev/${device%:*}" c 1 "${device#*:}"; done
mknod -m 666 dev/tty c 5 0
mkdir dev/shm dev/pts dev/mqueue dev/hugepages
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts
mount -t tmpfs tmpfs dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ip link set lo up
pivot_root . oldroot
cd /
umount -l /oldroot
exec env -i container=test PATH=/usr/bin:/bin /lib/systemd/systemd --unit=multi-user.target --log-target=journal --show-status=0
