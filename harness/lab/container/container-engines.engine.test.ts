import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { formatError, MacvlabError } from '../../core/error.js';
import { timeout, poll, within } from '../../core/wait.js';
import { EngineRefusal } from '../../engine/refusal.js';
import type { EngineKind } from '../../engine/networking.js';
import { ContainerEngines } from './container-engines.js';
import { findEngineTree } from '../../image/engine-tree.js';
import type { Endpoint } from '../endpoint.js';
import { Lab } from '../lab.js';
import { sandboxDriver } from '../../machine/sandbox/sandbox.js';
import { skipWithoutRoot } from '../../machine/sandbox/sandbox.test-support.js';

const kinds: readonly EngineKind[] = ['docker', 'podman', 'cni'];
const subnets = [{ subnet: '192.168.8.0/24' }];
const why = findEngineTree() === undefined ? ' (skipped: `macvlab lab prepare --engines` has not been run)' : '';

/** The parts of this machine that a lab's engine must not change: its mounts, and the folders where engines keep their files. */
function host(): unknown {
  const entries = (folder: string) =>
    existsSync(folder) ? readdirSync(folder, { recursive: true }).sort() : undefined;
  return {
    mounts: readFileSync('/proc/self/mountinfo', 'utf8'),
    files: ['/etc/docker', '/etc/containers', '/etc/cni', '/var/lib/docker', '/var/lib/containers', '/var/lib/cni'].map(
      entries,
    ),
    opt: existsSync('/opt') && readdirSync('/opt'),
    run: readdirSync('/run'),
    forwarding: readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8'),
  };
}

/** A limit that all descendants of a process inherit, in any namespace. It identifies the processes of a harness. */
const mark = 805_001;

function marked(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const limits = readFileSync(`/proc/${pid}/limits`, 'utf8');
        if (!new RegExp(`^Max msgqueue size +${mark} `, 'm').test(limits)) return [];
        if (/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) return [];
        return [`${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')}`];
      } catch {
        return [];
      }
    });
}

describe(`container engines in a lab (needs root)${why}`, function () {
  this.timeout(120_000);
  let lab: Lab;
  let known: unknown;

  before(function () {
    skipWithoutRoot(this);
    if (why !== '') this.skip();
  });
  beforeEach(async () => {
    known = host();
    lab = await Lab.open(sandboxDriver);
  });
  afterEach(async () => {
    await lab.close();
    expect(host(), 'the machine').to.deep.equal(known);
  });

  /** The cgroups of a container's process, or of a command. */
  async function cgroupsIn(container?: Endpoint): Promise<string> {
    const of = container ? '$(ip netns pids "$1")' : 'self';
    const script = `for pid in ${of}; do cat "/proc/$pid/cgroup"; done | sort -u`;
    const { stdout } = await lab.machines.machine.run(['sh', '-c', script, 'sh', container?.stack.namespace ?? '']);
    expect(stdout).not.to.equal('');
    return stdout;
  }

  for (const kind of kinds) {
    it(`${kind}: what a stretch of a run has made is gone behind it; the engine goes on`, async () => {
      const engine = await lab.containerHost(lab.node1, kind);
      expect(engine.version).to.match(/^\d+\.\d+/);
      for (const round of [1, 2]) {
        await lab.scopes.within(`round ${round}`, async () => {
          const network = await engine.network({ subnets });
          const container = await network.run('c1');
          expect(container.mode).to.equal('bridge');
          expect(lab.node1.endpoints).to.deep.equal([container]);
          expect(host(), 'the machine meanwhile').to.deep.equal(known);
          expect(await cgroupsIn(container), 'cgroups of the container').to.equal(await cgroupsIn());
        });
        expect(lab.node1.endpoints).to.deep.equal([]);
        const { stdout } = await lab.node1.stack.run(['ip', 'netns', 'list'], 'reading');
        expect(stdout, 'named namespaces').not.to.include('c1');
      }
    });
  }

  it('one that has ended is told with its last words, and another begins when it is asked for again', async () => {
    const engine = await lab.containerHost(lab.node1, 'docker');
    await lab.machines.machine.run([
      'sh',
      '-c',
      'for each in /proc/[0-9]*; do read -r name <$each/comm; [ "$name" != dockerd ] || kill -9 ${each##*/}; done',
    ]);
    const gone = await engine.network({ subnets }).catch((error: unknown) => error);
    expect(gone).to.be.instanceOf(MacvlabError).with.property('code', 'ENGINE_MISSING');
    expect(formatError(gone))
      .to.match(/the container engine dockerd has ended on node1: KILL/)
      .and.to.include('API listen on');
    const another = await lab.containerHost(lab.node1, 'docker');
    const network = await another.network({ subnets });
    expect((await network.run('c1')).mode).to.equal('bridge');
    await lab.scopes.leave();
  });

  it('a network of somebody else is neither taken over nor removed', async () => {
    const engine = await lab.containerHost(lab.node1, 'docker');
    await engine.network({ name: 'others', subnets });
    await lab.scopes.within('a test', async () => {
      const refusal = await engine
        .network({ name: 'others', subnets: [{ subnet: '192.168.9.0/24' }] })
        .catch((error: unknown) => error);
      expect(refusal).to.be.instanceOf(EngineRefusal).with.property('words', 'network with name others already exists');
    });
    const again = await engine.network({ name: 'others', subnets }).catch((error: unknown) => error);
    expect(again, 'still there').to.be.instanceOf(EngineRefusal);
  });

  it('programs that are not there, or do not start, are told', async () => {
    const unfetched = new ContainerEngines({ tree: undefined });
    const error = await unfetched.on(lab.node1, 'docker').catch((reason: unknown) => reason);
    expect(formatError(error)).to.include('ENGINE_MISSING').and.to.include('npx macvlab lab prepare --engines');
    const elsewhere = await new ContainerEngines(undefined).on(lab.node1, 'cni').catch((reason: unknown) => reason);
    expect(formatError(elsewhere)).to.include('ENGINE_MISSING').and.to.include('--lab auto');
    const empty = new ContainerEngines({ tree: '/proc/self/fdinfo' });
    for (const kind of kinds) {
      const broken = await empty.on(lab.node1, kind).catch((reason: unknown) => reason);
      expect(broken).to.be.instanceOf(MacvlabError).with.property('code', 'ENGINE_MISSING');
      expect((broken as MacvlabError).evidence, kind).to.match(/mount|No such file/);
    }
  });

  it('all of them go with the harness when that is killed', async () => {
    const harness = startHarness();
    const ended = once(harness, 'exit');
    try {
      await says(harness, 'ready');
      expect(marked().length, 'processes of a lab with engines').to.be.above(15);
    } finally {
      harness.kill('SIGKILL');
      await within(ended, { what: 'the harness to be gone', deadline: timeout(10_000) });
    }
    let left: string[] = [];
    await poll(() => Promise.resolve((left = marked()).length === 0 || undefined), {
      what: 'all processes of the lab to be gone',
      deadline: timeout(20_000),
      evidence: () => left.join('\n'),
    });
  });
});

/** A separate harness with one container of each engine. */
function startHarness(): ChildProcess {
  const module = (name: string) => JSON.stringify(new URL(name, import.meta.url).href);
  const script = `
    const { Lab } = await import(${module('../lab.js')});
    const { sandboxDriver } = await import(${module('../../machine/sandbox/sandbox.js')});
    const lab = await Lab.open(sandboxDriver);
    const subnets = { docker: '192.168.8.0/24', podman: '192.168.9.0/24', cni: '192.168.10.0/24' };
    for (const [kind, subnet] of Object.entries(subnets)) {
      const engine = await lab.containerHost(lab.node1, kind);
      const network = await engine.network({ name: 'of-' + kind, subnets: [{ subnet }] });
      await network.run(kind);
    }
    console.log('ready');
    await new Promise(() => process.stdin.resume());`;
  const node = [process.execPath, '--input-type=module', '--eval', script];
  return spawn('prlimit', [`--msgqueue=${mark}:`, ...node], { stdio: ['pipe', 'pipe', 'inherit'] });
}

async function says(harness: ChildProcess, word: string): Promise<void> {
  let said = '';
  const heard = new Promise<void>((resolve, reject) => {
    harness.stdout!.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (said.includes(word)) resolve();
    });
    harness.once('exit', () => reject(new Error(`the harness ended before it said ${word}`)));
  });
  await within(heard, { what: `the harness to say ${word}`, deadline: timeout(60_000), evidence: () => said });
}
