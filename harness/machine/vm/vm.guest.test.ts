import { readdirSync, readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { expect } from 'chai';
import { errorOf } from '../../core/error.test-support.js';
import { poll } from '../../core/wait.js';
import { echoRequest } from '../../wire/pattern.js';
import type { AllSessions } from '../driver.js';
import { Lab } from '../../lab/lab.js';
import { nodeNames } from '../topology.js';
import { vmDriver } from './vm.js';
import { whyNoGuests } from './vm.test-support.js';

const why = whyNoGuests();

/** One guest for all tests: the last test but one makes it panic. */
describe(`a lab in one guest${why}`, function vm() {
  this.timeout(120_000);
  let lab: Lab | undefined;

  before(async function needsGuests() {
    if (why) this.skip();
    lab = await Lab.open(vmDriver({ guests: 1 }));
    await lab.listening.start();
    await lab.configure({
      node1: { addresses: ['10.0.0.1/24'] },
      node2: { addresses: ['10.0.0.2/24'] },
      router: { addresses: ['10.0.0.254/24'] },
    });
  });
  after(() => lab?.close());

  function opened(): Lab {
    if (!lab) throw new Error('no lab was opened');
    return lab;
  }

  function kernelLog() {
    const { kernelLog: log } = opened().machines;
    if (!log) throw new Error('a guest’s kernel is the lab’s own');
    return log;
  }

  const sh = (script: string) => opened().machines.machine.run(['sh', '-c', script]);

  it('runs a kernel of its own, and answers at every node', async () => {
    const { machine, ...machines } = opened().machines;
    const nodes = machines.nodes as AllSessions;
    const bootId = (await machine.run(['cat', '/proc/sys/kernel/random/boot_id'])).stdout;
    expect(bootId).to.not.equal(readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'));
    const spaces = await Promise.all(
      nodeNames.map(async (name) => {
        const { stdout, status } = await nodes[name].run(['readlink', '/proc/self/ns/net']);
        expect(status, name).to.equal(0);
        expect((await nodes[name].run(['cat', '/proc/sys/kernel/random/boot_id'])).stdout).to.equal(bootId);
        return stdout;
      }),
    );
    expect(new Set(spaces)).to.have.lengthOf(nodeNames.length);
    expect(kernelLog().since(0)).to.deep.equal([]);
    expect([...kernelLog().text().keys()]).to.deep.equal(['guest']);
    expect(kernelLog().text().get('guest')).to.include('macvlab: ');
  });

  it('has a network of its own: no card, and no way to this machine', async () => {
    const { stdout } = await sh('ls -d /sys/class/net/*/device 2>/dev/null; ls -d /sys/bus/virtio/devices/*');
    expect(stdout)
      .to.match(/virtio0/)
      .and.to.not.include('/sys/class/net');
    const ours = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
    const reachable = ours
      .filter(({ internal, family }) => !internal && family === 'IPv4')
      .map(({ address }) => address);
    for (const address of [...reachable, '192.0.2.1']) {
      const { stderr, stdout: said } = await opened().machines.nodes.node1.run(['ping', '-c1', '-W1', address]);
      expect(`${said}${stderr}`, address).to.match(/unreachable/);
    }
  });

  it('tells the times of frames by our own clock, within the error that it knows of', async () => {
    const { node1, node2, machines } = opened();
    const { ahead, error } = machines.nodes.node1.clock;
    expect(error).to.be.within(1, 1_000_000);
    // The guest's real-time clock counts whole seconds: without a measurement, its times would be wrong by up to one
    // second.
    expect(ahead).to.not.equal(0);
    expect(machines.roundTrip).to.be.above(0);
    const before = Date.now() * 1000;
    const ping = await opened().ping(node1, node2);
    const after = (Date.now() + 1) * 1000;
    expect(ping.outcome).to.equal('answered');
    const seen = [node1.wire, node2.wire].flatMap(({ captures }) =>
      captures.flatMap(({ sightings }) => [...sightings]),
    );
    const requests = seen.filter(({ frame }) => echoRequest({}).matches(frame));
    expect(requests).to.have.length.above(1);
    for (const { frame, timeError } of requests) {
      expect(timeError).to.equal(error);
      expect(frame.time).to.be.within(before - error, after + error);
    }
  });

  it('hears what its kernel complains about', async () => {
    const mark = kernelLog().mark();
    await sh('echo "<4>an ordinary WARNING" >/dev/kmsg; echo "<4>WARNING: CPU: 0 PID: 1 at test.c:1 f+0x0" >/dev/kmsg');
    const heard = () => Promise.resolve(kernelLog().since(mark).length > 0 || undefined);
    await poll(heard, { what: 'the complaint', deadline: 10_000 });
    const complaint = { machine: 'guest', line: 'WARNING: CPU: 0 PID: 1 at test.c:1 f+0x0', kind: 'defect' };
    expect(kernelLog().since(mark)).to.deep.equal([complaint]);
    expect(kernelLog().mark()).to.equal(mark + 1);
    expect(kernelLog().since(kernelLog().mark())).to.deep.equal([]);
    expect(kernelLog().text().get('guest')).to.include('an ordinary WARNING');
  });

  it('ends what waits for a command as soon as the kernel has panicked, with its last words', async () => {
    const { machines } = opened();
    expect(qemus()).to.have.lengthOf(1);
    const waiting = errorOf(machines.nodes.node2.run(['sleep', '60'], { deadline: 60_000 }));
    const [error] = await Promise.all([waiting, errorOf(sh('echo c >/proc/sysrq-trigger; sleep 60'))]);
    expect(error.code).to.equal('KERNEL_PANIC');
    expect(error.message).to.match(/^guest is gone: (Kernel panic|BUG|Oops)/);
    expect(error.evidence).to.match(/sysrq/i);
    expect(error.next).to.include('console');
    expect((await errorOf(machines.nodes.node1.run(['true']))).code).to.equal('KERNEL_PANIC');
    expect(opened().death.aborted).to.equal(true);
    expect(opened().death.reason).to.have.property('code', 'KERNEL_PANIC');
    expect(
      kernelLog()
        .since(0)
        .some(({ line }) => line.startsWith('Kernel panic')),
    ).to.equal(true);
  });

  it('leaves no QEMU behind, and may be closed more than once', async () => {
    expect(qemus()).to.deep.equal([]);
    await opened().close();
    await opened().close();
  });
});

/** QEMU processes that this process has started. */
function qemus(): string[] {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      // proc(5): the program's name in brackets, its state, and its parent.
      const [, program, parent] = /^\d+ \((.*)\) \S (\d+) /s.exec(stat) ?? [];
      return program?.startsWith('qemu-system') && Number(parent) === process.pid;
    } catch {
      return false;
    }
  });
}
