/**
 * QEMU's command line: each concern is a small value that yields its arguments. Every channel between the guest and
 * this process is a socket that QEMU inherits, identified by its file descriptor. So there is no path and no port that
 * could be a leftover.
 */

/** How the guest's processors run: on hardware, or by QEMU's translation of every instruction. */
export type Accelerator = 'kvm' | 'tcg';

/** The factors by which a guest is slower than with KVM, measured; its deadlines are multiplied by them. */
export const slowness: Readonly<Record<Accelerator, number>> = { kvm: 1, tcg: 4 };

/** A NIC that is one end of a cable to another guest. */
export interface Card {
  mac: string;
  /** The inherited stream socket that carries its frames, each after its length in four bytes (QEMU, net/socket.c). */
  fd: number;
}

export interface QemuPlan {
  accelerator: Accelerator;
  processors: number;
  /** MiB */
  memory: number;
  /** A bzImage, or the ELF file in it if the kernel can be entered through PVH. */
  kernel: string;
  initramfs: string;
  /** The read-only root image. */
  root: string;
  /** A second disk, also read-only: the container engines' programs. */
  engines?: string;
  /** Additional arguments of the kernel. */
  kernelArguments?: readonly string[];
  /** File descriptor of the serial console. */
  console: number;
  /** Serial ports by name, each with its file descriptor: `/dev/virtio-ports/<name>` in the guest. */
  ports: ReadonlyMap<string, number>;
  cards?: readonly Card[];
  /** Serial ports that QEMU offers as socket files: name to path. */
  slots?: ReadonlyMap<string, string>;
  /** File descriptor of QEMU's own monitor. */
  monitor?: number;
  /** File descriptor of a saved state, from which the machine continues. */
  incoming?: number;
}

/** The arguments of `qemu-system-x86_64`. */
export function qemuArguments(plan: QemuPlan): string[] {
  return [
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...machine(plan),
    ...kernel(plan),
    ...disk('root', plan.root),
    ...(plan.engines === undefined ? [] : disk('engines', plan.engines)),
    ...serialConsole(plan.console),
    ...serialPorts(
      'port',
      [...plan.ports].map(([name, fd]) => ({ name, end: `fd=${fd}` })),
    ),
    ...serialPorts(
      'slot',
      [...(plan.slots ?? [])].map(([name, path]) => ({ name, end: socketFile(path) })),
    ),
    ...(plan.cards ?? []).flatMap(card),
    ...(plan.monitor === undefined ? [] : monitor(plan.monitor)),
    ...(plan.incoming === undefined ? [] : incoming(plan.incoming)),
  ];
}

/**
 * With TCG, the simplest processor with RDRAND: without RDRAND, the guest's random numbers, and so sshd, are ready only
 * 1.5 s later. `-cpu host` aborts on some machines on which /dev/kvm can be opened.
 */
function machine({ accelerator, processors, memory }: QemuPlan): string[] {
  const cpu = accelerator === 'kvm' ? 'max' : 'qemu64,+rdrand';
  const name = accelerator === 'kvm' ? 'q35,accel=kvm' : 'q35,accel=tcg';
  return ['-machine', name, '-cpu', cpu, '-smp', String(processors), '-m', `${memory}M`];
}

/**
 * Arguments of every guest's kernel. A panic ends QEMU at once: panic=-1 reboots, and -no-reboot turns the reboot into
 * the end. An oops is a panic, since later results prove nothing. Mitigations against attacks between programs only
 * cost time here. Random addresses also cost time under TCG, which translates a program and its libraries again for
 * each new address. Without them, sshd starts in a quarter of the time (QEMU 7.2, measured).
 */
export const kernelArguments = [
  'console=ttyS0',
  'loglevel=5',
  'panic=-1',
  'oops=panic',
  'random.trust_cpu=on',
  'mitigations=off',
  'norandmaps',
];

function kernel({ kernel: image, initramfs, kernelArguments: more = [] }: QemuPlan): string[] {
  return ['-kernel', image, '-initrd', initramfs, '-append', [...kernelArguments, ...more].join(' ')];
}

/** The guest's next disk: /dev/vda, /dev/vdb. */
function disk(id: string, file: string): string[] {
  const drive = `file=${escape(file)},format=raw,if=none,id=${id},readonly=on,file.locking=off`;
  return ['-drive', drive, '-device', `virtio-blk-pci,drive=${id}`];
}

function serialConsole(fd: number): string[] {
  return ['-chardev', `socket,id=console,fd=${fd}`, '-serial', 'chardev:console'];
}

/**
 * Each kind of port has its own device. QEMU announces ports to the guest by messages, and drops messages while 32 are
 * unread (hw/char/virtio-serial-bus.c, send_control_msg). Ports and slots on one device would be too many.
 */
function serialPorts(kind: 'port' | 'slot', ports: readonly { name: string; end: string }[]): string[] {
  if (ports.length === 0) return [];
  return [
    ...['-device', `virtio-serial-pci,id=${kind}s`],
    ...ports.flatMap(({ name, end }, index) => [
      ...['-chardev', `socket,id=${kind}${index},${end}`],
      ...['-device', `virtserialport,bus=${kind}s.0,chardev=${kind}${index},name=${name}`],
    ]),
  ];
}

/** A socket to which other processes can connect. */
function socketFile(path: string): string {
  return `path=${escape(path)},server=on,wait=off`;
}

function card({ mac, fd }: Card, index: number): string[] {
  const id = `net${index}`;
  return ['-netdev', `socket,id=${id},fd=${fd}`, '-device', `virtio-net-pci,netdev=${id},mac=${mac},romfile=`];
}

function monitor(fd: number): string[] {
  return ['-chardev', `socket,id=monitor,fd=${fd}`, '-mon', 'chardev=monitor,mode=control'];
}

/** Without announcements: QEMU would send RARP frames from each NIC, as after the migration of a machine. */
function incoming(fd: number): string[] {
  return ['-global', 'migration.announce-rounds=0', '-incoming', `fd:${fd}`];
}

/** A comma would end an option's value, so it is doubled (qemu(1), "Device options"). */
function escape(value: string): string {
  return value.replaceAll(',', ',,');
}
