/** The script of a guest's first process. */
import { quoteArgument } from '../remote/quote.js';

/** Runs when the harness has gone, and when the guest cannot boot: QEMU ends, with or without ACPI. */
const powerOff = '[ ! -e "$root/sys/firmware/acpi" ] || /bin/busybox poweroff -f; /bin/busybox reboot -f';

/**
 * The last program of PID 1: it waits for the shell that reads commands from the control port. Meanwhile it reaps
 * orphans (wait(2) returns any child). After the port's end it switches the guest off. The shell is in the foreground:
 * a background shell would pass an ignored SIGINT on to all processes of the guest.
 */
const endOfGuest = `/bin/busybox setsid /bin/sh -s <&3 >&3 3>&-; echo "macvlab: the control port has ended"; ${powerOff}`;

/**
 * The script of PID 1, for the shell of busybox. It prints each phase on the console with the seconds since the kernel
 * began. It also prints a failure there, and ends the guest at once.
 * @param boot modules to load, in this order
 */
export function guestInit(release: string, boot: readonly string[]): string {
  return `${rootScript(release, boot)}
# All ports are announced before the first of them gets its name (QEMU, hw/char/virtio-serial-bus.c).
ports() {
  control=
  for port in /new/sys/class/virtio-ports/*; do
    [ -r "$port/name" ] || return 1
    read -r name <"$port/name"
    [ "$name" != control ] || control=/new/dev/\${port##*/}
  done
  [ -n "$control" ]
}
until ports; do later 'to find the serial port named control'; done
for port in /new/sys/class/virtio-ports/*; do
  read -r name <"$port/name"
  busybox ln -s "/dev/\${port##*/}" "/new/run/port.$name" || fail "to name the port $name"
done
# Until QEMU has said that its end is open, reading would be at the end at once, whereas writing waits
# (drivers/char/virtio_console.c, port_fops_read and wait_port_writable).
exec 3<>"$control" || fail 'to open the control port'
phase control
phase control >&3
cd /new || fail 'to enter the root'
busybox mount --move . / || fail 'to move the root'
exec 2>&1 /bin/busybox chroot . /bin/sh -c ${quoteArgument(endOfGuest)}
`;
}

/** The script of PID 1 of a machine whose disk has its own init, which replaces the script: on top of the guests’ root image. */
export function machineInit(release: string, boot: readonly string[]): string {
  return `${rootScript(release, boot)}
cd /new || fail 'to enter the root'
busybox mount --move . / || fail 'to move the root'
exec 2>&1 /bin/busybox chroot . /sbin/init
`;
}

/** The common beginning of both, until the root’s file system is below /new. */
function rootScript(release: string, boot: readonly string[]): string {
  return `#!/bin/busybox sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
busybox() { /bin/busybox "$@"; }
phase() { read -r up rest <"$root/proc/uptime"; echo "macvlab: $1 $up"; }
off() { ${powerOff}; }
fail() {
  read -r -d '' words </words
  echo "macvlab: FAILED $1: "$words
  off
}
exec 2>/words
root=
busybox mount -t devtmpfs dev /dev || fail 'to mount /dev'
busybox mount -t proc proc /proc || fail 'to mount /proc'
busybox mount -t sysfs sys /sys || fail 'to mount /sys'
# Warnings and worse reach the console.
echo 5 >/proc/sys/kernel/printk
phase initramfs

cd ${quoteArgument(`/lib/modules/${release}`)} || fail 'to find the modules'
for module in ${boot.map((file) => quoteArgument(file)).join(' ')}; do
  busybox insmod "$module" || fail "to load $module"
done
phase modules

# Nothing tells when a device has come; it is normally there already.
rounds=0
later() {
  rounds=$((rounds + 1))
  [ $rounds -lt 250 ] || fail "$1"
  busybox sleep 0.02
}
until [ -b /dev/vda ]; do later 'to find /dev/vda, the root image'; done
busybox mount -t squashfs -o ro /dev/vda /low || fail 'to mount the root image'
busybox mount -t tmpfs -o mode=0755 rw /rw || fail 'to mount a tmpfs'
busybox mkdir /rw/upper /rw/work || fail 'to write to the tmpfs'
busybox mount -t overlay -o lowerdir=/low,upperdir=/rw/upper,workdir=/rw/work root /new || fail 'to mount the overlay'
busybox mount --bind /lib/modules /new/usr/lib/modules || fail 'to show the modules'
busybox mount -t tmpfs -o mode=0755 run /new/run || fail 'to mount /run'
root=/new
for folder in dev proc sys; do
  busybox mount --move /$folder /new/$folder || fail "to move /$folder"
done
busybox mkdir -p /new/dev/pts
busybox mount -t devpts -o mode=620,ptmxmode=666 devpts /new/dev/pts || fail 'to mount /dev/pts'
phase root
`;
}
