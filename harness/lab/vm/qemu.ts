/**
 * QEMU's command line: each concern is a small value that yields its arguments. Every channel between the guest and us is a
 * socket that QEMU inherits, named by its file descriptor: no path, no port, nothing that could be left behind.
 */

/** What the guest's processors run on: hardware, or QEMU's own translation of every instruction. */
export type Accelerator = 'kvm' | 'tcg';

/** How many times as long as with KVM a guest takes for everything, measured; its deadlines are multiplied by it. */
export const slowness: Readonly<Record<Accelerator, number>> = { kvm: 1, tcg: 4 };

/** A network card that is one end of a cable to another guest. */
export interface Card {
  mac: string;
  /** The inherited stream socket that carries its frames, each behind four bytes of length (QEMU, net/socket.c). */
  fd: number;
}

export interface QemuPlan {
  accelerator: Accelerator;
  processors: number;
  /** MiB */
  memory: number;
  /** A bzImage, or the ELF file in it where the kernel can be entered through PVH. */
  kernel: string;
  initramfs: string;
  /** The read-only root image. */
  root: string;
  /** A second disk, read-only as well: the container engines' programs. */
  engines?: string;
  /** Words for the kernel, behind those that every guest gets. */
  kernelArguments?: readonly string[];
  /** File descriptor of the serial console. */
  console: number;
  /** Serial ports by name, each with its file descriptor: `/dev/virtio-ports/<name>` in the guest. */
  ports: ReadonlyMap<string, number>;
  cards?: readonly Card[];
  /** Serial ports whose other end QEMU offers as a socket file: name to path. */
  slots?: ReadonlyMap<string, string>;
}

/** The arguments behind `qemu-system-x86_64`. */
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
  ];
}

/**
 * With TCG, the plainest processor with RDRAND: without it the guest's random numbers, and with them sshd, are ready only
 * 1.5 s later. `-cpu host` aborts on some machines whose /dev/kvm opens.
 */
function machine({ accelerator, processors, memory }: QemuPlan): string[] {
  const cpu = accelerator === 'kvm' ? 'max' : 'qemu64,+rdrand';
  const name = accelerator === 'kvm' ? 'q35,accel=kvm' : 'q35,accel=tcg';
  return ['-machine', name, '-cpu', cpu, '-smp', String(processors), '-m', `${memory}M`];
}

/**
 * Words for every guest's kernel. A panic ends QEMU at once (panic=-1 reboots, and -no-reboot makes that the end), and an
 * oops is a panic: what comes after it proves nothing. Mitigations against attacks between programs only cost time here. So do
 * random addresses under TCG, which translates a program and its libraries anew wherever they come to lie: without them, sshd
 * starts in a quarter of the time (QEMU 7.2, measured).
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
 * Ports on a device of their own. QEMU announces ports to the guest by messages, of which it drops those that come while 32
 * are waiting to be read (hw/char/virtio-serial-bus.c, send_control_msg): ports and slots on one device would be too many.
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

/** A socket that others can connect to. */
function socketFile(path: string): string {
  return `path=${escape(path)},server=on,wait=off`;
}

function card({ mac, fd }: Card, index: number): string[] {
  const id = `net${index}`;
  return ['-netdev', `socket,id=${id},fd=${fd}`, '-device', `virtio-net-pci,netdev=${id},mac=${mac},romfile=`];
}

/** A comma would end an option's value, and is doubled (qemu(1), "Device options"). */
function escape(value: string): string {
  return value.replaceAll(',', ',,');
}
