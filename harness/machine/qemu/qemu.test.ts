import { expect } from 'chai';
import { type QemuPlan, qemuArguments } from './qemu.js';

/** A guest with only the common parts of all guests. */
const plain: QemuPlan = {
  accelerator: 'tcg',
  processors: 1,
  memory: 512,
  kernel: '/cache/vmlinux',
  initramfs: '/cache/initramfs.cpio',
  root: '/cache/root.squashfs',
  console: 4,
  ports: new Map([
    ['control', 3],
    ['machine', 5],
  ]),
};

/** One line per option, with its value. */
function transcript(plan: QemuPlan): string[] {
  const lines: string[] = [];
  for (const word of qemuArguments(plan)) {
    if (word.startsWith('-') || lines.length === 0) lines.push(word);
    else lines.push(`${lines.pop()} ${word}`);
  }
  return lines;
}

describe('QEMU’s command line', () => {
  it('of a guest under TCG, whole', () => {
    expect(transcript(plain)).to.deep.equal([
      '-nodefaults',
      '-no-user-config',
      '-display none',
      '-no-reboot',
      '-machine q35,accel=tcg',
      '-cpu qemu64,+rdrand',
      '-smp 1',
      '-m 512M',
      '-kernel /cache/vmlinux',
      '-initrd /cache/initramfs.cpio',
      '-append console=ttyS0 loglevel=5 panic=-1 oops=panic random.trust_cpu=on mitigations=off norandmaps',
      '-drive file=/cache/root.squashfs,format=raw,if=none,id=root,readonly=on,file.locking=off',
      '-device virtio-blk-pci,drive=root',
      '-chardev socket,id=console,fd=4',
      '-serial chardev:console',
      '-device virtio-serial-pci,id=ports',
      '-chardev socket,id=port0,fd=3',
      '-device virtserialport,bus=ports.0,chardev=port0,name=control',
      '-chardev socket,id=port1,fd=5',
      '-device virtserialport,bus=ports.0,chardev=port1,name=machine',
    ]);
  });

  it('of a guest with container engines: a second disk', () => {
    const more = transcript({ ...plain, engines: '/cache/engines.squashfs' });
    expect(more.filter((line) => !transcript(plain).includes(line))).to.deep.equal([
      '-drive file=/cache/engines.squashfs,format=raw,if=none,id=engines,readonly=on,file.locking=off',
      '-device virtio-blk-pci,drive=engines',
    ]);
    const disks = more.filter((line) => line.startsWith('-device virtio-blk-pci'));
    expect(disks, 'in the order in which a guest names them').to.deep.equal([
      '-device virtio-blk-pci,drive=root',
      '-device virtio-blk-pci,drive=engines',
    ]);
  });

  it('of a guest with KVM: accelerated, or not at all', () => {
    const words = transcript({ ...plain, accelerator: 'kvm', processors: 4, memory: 256 });
    expect(words).to.include.members(['-machine q35,accel=kvm', '-cpu max', '-smp 4', '-m 256M']);
    expect(words.filter((word) => word.includes('tcg'))).to.deep.equal([]);
    expect(words).to.have.lengthOf(transcript(plain).length);
  });

  it('of a guest with cards: each on its own socket, without a boot ROM, and no other network', () => {
    const cards = [
      { mac: '02:00:00:00:00:01', fd: 6 },
      { mac: '02:00:00:00:00:02', fd: 7 },
    ];
    const words = transcript({ ...plain, cards });
    expect(words.slice(transcript(plain).length)).to.deep.equal([
      '-netdev socket,id=net0,fd=6',
      '-device virtio-net-pci,netdev=net0,mac=02:00:00:00:00:01,romfile=',
      '-netdev socket,id=net1,fd=7',
      '-device virtio-net-pci,netdev=net1,mac=02:00:00:00:00:02,romfile=',
    ]);
    expect(words.filter((word) => /^-netdev (?!socket,)|hostfwd|tap/.test(word))).to.deep.equal([]);
  });

  it('of a guest with slots: QEMU listens, and waits for nobody', () => {
    const slots = new Map([
      ['machine.1', '/run/macvlab/vm-a/machine.1'],
      ['node1.1', '/run/macvlab/vm-a/node1.1'],
    ]);
    expect(transcript({ ...plain, slots }).slice(-5)).to.deep.equal([
      // A separate device: with one device for all, QEMU would drop messages about some of them.
      '-device virtio-serial-pci,id=slots',
      '-chardev socket,id=slot0,path=/run/macvlab/vm-a/machine.1,server=on,wait=off',
      '-device virtserialport,bus=slots.0,chardev=slot0,name=machine.1',
      '-chardev socket,id=slot1,path=/run/macvlab/vm-a/node1.1,server=on,wait=off',
      '-device virtserialport,bus=slots.0,chardev=slot1,name=node1.1',
    ]);
  });

  it('doubles commas in the paths that stand in an option’s value, and only there', () => {
    const slots = new Map([['machine.1', '/c,d/machine.1']]);
    const words = transcript({ ...plain, kernel: '/a,b/vmlinux', initramfs: '/a,b/i', root: '/a,b,,/root', slots });
    expect(words).to.include.members([
      '-kernel /a,b/vmlinux',
      '-initrd /a,b/i',
      '-drive file=/a,,b,,,,/root,format=raw,if=none,id=root,readonly=on,file.locking=off',
      '-chardev socket,id=slot0,path=/c,,d/machine.1,server=on,wait=off',
    ]);
  });

  it('hands a path with spaces on as one word', () => {
    const words = qemuArguments({ ...plain, kernel: '/a b/vm linux' });
    expect(words[words.indexOf('-kernel') + 1]).to.equal('/a b/vm linux');
  });

  it('puts further words for the kernel behind those of every guest', () => {
    const words = transcript({ ...plain, kernelArguments: ['ipv6.disable=1', 'quiet'] });
    const append = words.find((word) => word.startsWith('-append'));
    expect(append).to.match(/^-append console=ttyS0 .* norandmaps ipv6\.disable=1 quiet$/);
  });
});
