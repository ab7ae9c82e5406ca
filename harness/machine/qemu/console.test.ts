import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { poll } from '../../core/wait.js';
import type { KernelSplat } from '../driver.js';
import { complaintIn, Console } from './console.js';

describe('what a kernel complains about', () => {
  /** Lines as kernels from 5.10 to 7.x print them. */
  const defects = [
    '[    1.720000] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)',
    '[   12.345678] WARNING: CPU: 0 PID: 12 at net/core/dev.c:1 f+0x0/0x10',
    '[   12.345678] WARNING: CPU: 1 PID: 204 at drivers/net/macvlan.c:1472 macvlan_common_newlink+0x3a5/0x5e0 [macvlan]',
    // Since 6.19 the place comes first (lib/bug.c, __report_bug).
    '[   12.345678] WARNING: net/core/dev.c:123 at f+0x1/0x2, CPU#1: ip/77',
    '[   12.345678] BUG: unable to handle page fault for address: ffffffffc0a81000',
    '[   12.345678] BUG: kernel NULL pointer dereference, address: 0000000000000008',
    '[   12.345678] BUG: KASAN: slab-use-after-free in macvlan_forward_source+0x1b4/0x470',
    '[   12.345678] BUG: KFENCE: out-of-bounds read in test_out_of_bounds_read+0xa6/0x234',
    '[   12.345678] BUG: sleeping function called from invalid context at kernel/locking/mutex.c:580',
    '[   12.345678] BUG: scheduling while atomic: ip/77/0x00000002',
    '[   12.345678] kernel BUG at net/core/skbuff.c:109!',
    '[   12.345678] Oops: 0000 [#1] SMP NOPTI',
    '[   12.345678] Oops: int3: 0000 [#1] PREEMPT SMP',
    '[   12.345678] general protection fault, probably for non-canonical address 0xdead000000000122: 0000 [#1] SMP',
    '[   12.345678] UBSAN: array-index-out-of-bounds in net/core/dev.c:77:3',
    '[   12.345678] refcount_t: underflow; use-after-free.',
    '[   12.345678] list_del corruption. prev->next should be ffff888003d9a0c8, but was 0000000000000000',
    '[   12.345678] unregister_netdevice: waiting for eth1 to become free. Usage count = 2',
    '[   12.345678] WARNING: possible circular locking dependency detected',
    '[   12.345678] WARNING: possible recursive locking detected',
    '[   12.345678] WARNING: suspicious RCU usage',
    '[   12.345678] WARNING: inconsistent lock state',
    '[   12.345678] WARNING: bad unlock balance detected!',
    // With CONFIG_PRINTK_CALLER, and as dmesg -r shows it.
    '[   12.345678][   T77] WARNING: CPU: 0 PID: 77 at net/core/dev.c:1 f+0x0/0x10',
    '[   12.345678][    C0] Kernel panic - not syncing: Fatal exception in interrupt',
    '<4>[   12.345678] WARNING: CPU: 0 PID: 12 at net/core/dev.c:1 f+0x0/0x10',
    '[123456.345678] BUG: unable to handle page fault for address: ffffffffc0a81000',
  ];
  const stalls = [
    '[   30.000000] watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [ip:77]',
    '[   30.000000] BUG: workqueue lockup - pool cpus=0 node=0 flags=0x0 nice=0 stuck for 31s!',
    '[   30.000000] rcu: INFO: rcu_preempt self-detected stall on CPU',
    '[   30.000000] rcu: INFO: rcu_sched detected stalls on CPUs/tasks:',
    '[   30.000000] rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 0-... }',
    '[   30.000000] INFO: task ip:77 blocked for more than 120 seconds.',
    '[   30.000000] INFO: rcu_sched self-detected stall on CPU',
  ];
  const ordinary = [
    '[    0.000000] Linux version 6.12.94+deb13-cloud-amd64 (debian-kernel@lists.debian.org)',
    '[    0.000000] Command line: console=ttyS0 loglevel=5 panic=-1 oops=panic',
    '[    0.421337] amd_pstate: the _CPC object is not present in SBIOS or ACPI disabled',
    '[    0.104512] Spectre V2 : WARNING: Unprivileged eBPF is enabled, data leaks possible',
    '[    0.500000] clocksource: timekeeping watchdog on CPU0: Marking clocksource as unstable',
    '[    2.000000] rcu: Hierarchical RCU implementation.',
    '[    2.000000] macvlan: WARNING: CPU: 0 PID: 12 at net/core/dev.c:1 is what a message of another may quote',
    '[    2.000000] systemd[1]: BUG: something else',
    '[    2.000000] Debugging: BUG: nothing',
    '[    2.000000] INFO: lockdep is turned off.',
    // The first and last line of a report add nothing to the line between them.
    '[    2.000000] ------------[ cut here ]------------',
    '[    2.000000] ---[ end trace 0000000000000000 ]---',
    '[    2.000000] Modules linked in: macvlan veth bridge stp llc',
    '[    2.000000] ',
  ];
  for (const line of defects) {
    it(`a defect: ${line}`, () => {
      expect(complaintIn(line)).to.deep.equal({ line: line.replace(/^.*?\](\[ *[CT]\d+\])? /, ''), kind: 'defect' });
    });
  }
  for (const line of stalls) {
    it(`a stall: ${line}`, () => {
      expect(complaintIn(line)).to.deep.equal({ line: line.replace(/^.*?\] /, ''), kind: 'stall' });
    });
  }
  for (const line of ordinary) {
    it(`nothing: ${line}`, () => {
      expect(complaintIn(line)).to.equal(undefined);
    });
  }
  it('nothing that has no time, and so is no kernel’s', () => {
    for (const line of [...defects, ...stalls]) expect(complaintIn(line.replace(/^.*?\] /, ''))).to.equal(undefined);
  });
});

describe('a guest’s console', () => {
  let folder: string;
  let server: Server;
  let guest: Socket;
  let ours: Socket;
  let lab: KernelSplat[];
  let read: Console;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'macvlab-console-'));
    const path = join(folder, 'console');
    server = createServer();
    await once(server.listen(path), 'listening');
    ours = connect(path);
    [guest] = (await once(server, 'connection')) as [Socket];
    lab = [];
    read = new Console('node1', ours, lab);
  });

  afterEach(() => {
    guest.destroy();
    ours.destroy();
    server.close();
    rmSync(folder, { recursive: true });
  });

  /** Prints bytes in pieces, each read before the next is sent. */
  async function print(text: string, pieces: number): Promise<void> {
    const bytes = Buffer.from(text);
    const size = Math.ceil(bytes.length / pieces);
    for (let at = 0; at < bytes.length; at += size) {
      const piece = bytes.subarray(at, at + size);
      const whole = ours.bytesRead + piece.length;
      guest.write(piece);
      // The console has read a part of a character, but does not report it yet.
      const arrived = () => Promise.resolve(ours.bytesRead === whole || undefined);
      await poll(arrived, { what: 'what was printed', deadline: 5000 });
    }
  }

  const words = [
    'SeaBIOS (version 1.16)',
    '[    0.000000] Linux version 6.12',
    '[    1.100000] WARNING: CPU: 0 PID: 12 at net/core/dev.c:1 f+0x0/0x10',
    'macvlab: modules 1.52',
    '[    2.200000] rcu: INFO: rcu_preempt self-detected stall on CPU',
    'näme ✓',
    '[    3.300000] Kernel panic - not syncing: näme',
    '',
  ].join('\r\n');

  for (const pieces of [1, 2, 3, 7, 50, Buffer.byteLength(words)]) {
    it(`is the same in ${pieces === 1 ? 'one piece' : `${pieces} pieces`}`, async () => {
      await print(words, pieces);
      expect(read.text).to.equal(words.replaceAll('\r', ''));
      expect(lab).to.deep.equal([
        { machine: 'node1', line: 'WARNING: CPU: 0 PID: 12 at net/core/dev.c:1 f+0x0/0x10', kind: 'defect' },
        { machine: 'node1', line: 'rcu: INFO: rcu_preempt self-detected stall on CPU', kind: 'stall' },
        { machine: 'node1', line: 'Kernel panic - not syncing: näme', kind: 'defect' },
      ]);
      expect(read.complaints).to.deep.equal(lab);
      expect(read.phase).to.equal('modules');
      expect(read.tail(2)).to.equal('näme ✓\n[    3.300000] Kernel panic - not syncing: näme');
    });
  }

  it('says how far the guest has come', async () => {
    const seen = [read.phase];
    for (const line of [
      'SeaBIOS',
      '[    0.0] Linux version',
      'macvlab: initramfs 1.2',
      '[    1.3] more',
      'macvlab: root 2.1',
    ]) {
      await print(`${line}\r\n`, 1);
      seen.push(read.phase);
    }
    expect(seen).to.deep.equal(['the firmware', 'the firmware', 'its kernel', 'initramfs', 'initramfs', 'root']);
    await print('macvlab: FAILED to mount /proc: no 1.5\r\n', 1);
    expect(read.phase).to.equal('root');
    read.reached('ready');
    expect(read.phase).to.equal('ready');
  });

  it('is kept in bounds, whatever a kernel says without end: its beginning, its end and all complaints', async () => {
    const mebibyte = 2 ** 20;
    await print('[    0.1] the first line\r\n', 1);
    for (let count = 1; count <= 12; count += 1) {
      await print(`${'x'.repeat(mebibyte)}${count % 2 === 0 ? '' : '\r\n'}`, 1);
      if (count % 4 === 0) await print(`\r\n[    ${count}.1] BUG: the ${count}th\r\n`, 1);
      expect(read.text.length).to.be.below(5 * mebibyte);
    }
    await print('[   99.1] the last line\r\n', 1);
    expect(read.text)
      .to.match(/^\[ {4}0\.1\] the first line\n/)
      .and.include('] the last line\n');
    const left = Number(/^\[(\d+) characters are left out here\]$/m.exec(read.text)?.[1]);
    expect(left + read.text.length).to.be.within(12 * mebibyte, 12 * mebibyte + 400);
    expect(read.tail(1)).to.equal('[   99.1] the last line');
    expect(lab.map(({ line }) => line)).to.deep.equal(['BUG: the 4th', 'BUG: the 8th', 'BUG: the 12th']);
  });

  it('adds to the complaints of a lab, and keeps its own apart', async () => {
    lab.push({ machine: 'switch', line: 'BUG: before', kind: 'defect' });
    await print('[    1.0] BUG: mine\r\n', 1);
    expect(lab.map(({ machine, line }) => `${machine} ${line}`)).to.deep.equal([
      'switch BUG: before',
      'node1 BUG: mine',
    ]);
    expect(read.complaints).to.have.lengthOf(1);
  });
});
