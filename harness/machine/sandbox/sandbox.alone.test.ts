import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { expect } from 'chai';
import { formatError, MacvlabError } from '../../core/error.js';
import { timeout, pause, poll, within } from '../../core/wait.js';
import { readBridgePorts } from '../../link/bridge-port.js';
import { newKeyPair } from '../../remote/keys.js';
import { ping } from '../../probe/ping.js';
import { Lab } from '../../lab/lab.js';
import { topology } from '../topology.js';
import { startInit, stopInit } from './init.js';
import { sandboxDriver } from './sandbox.js';
import { skipWithoutRoot } from './sandbox.test-support.js';

/**
 * A resource limit that all descendants of a process inherit, and that macvlab does not use. It identifies them in any
 * session, namespace or parent.
 */
const firstMark = 810_000;

function markProcess(pid: number, mark: number | 'unlimited'): void {
  execFileSync('prlimit', [`--pid=${pid}`, `--msgqueue=${mark}:`]);
}

/** Processes with a mark: id and command. Zombies are left out since they hold no resources. */
function marked(mark: number): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const limits = readFileSync(`/proc/${pid}/limits`, 'utf8');
        if (!new RegExp(`^Max msgqueue size +${mark} `, 'm').test(limits)) return [];
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')) ? [] : [`${pid} ${command}`];
      } catch {
        return [];
      }
    });
}

async function noneMarked(mark: number): Promise<void> {
  let left: string[] = [];
  const look = () => Promise.resolve((left = marked(mark)).length === 0 || undefined);
  await poll(look, {
    what: `everything with mark ${mark} to be gone`,
    deadline: timeout(10_000),
    evidence: () => left.join('\n'),
  }).catch((error: unknown) => {
    throw new Error(formatError(error), { cause: error });
  });
}

/** The state of this machine that a lab must not change. */
function host(): unknown {
  return {
    links: execFileSync('ip', ['-j', 'link'], { encoding: 'utf8' }),
    mounts: readFileSync('/proc/self/mountinfo', 'utf8'),
    run: readdirSync('/run'),
    hostname: readFileSync('/proc/sys/kernel/hostname', 'utf8'),
    namespaces: execFileSync('sh', ['-c', 'readlink /proc/$PPID/ns/*'], { encoding: 'utf8' }),
  };
}

describe('the sandbox (needs root)', function () {
  this.timeout(30_000);
  let known: unknown;
  let limit = '';

  before(function () {
    skipWithoutRoot(this);
    limit = /^Max msgqueue size +(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'utf8'))![1]!;
  });
  beforeEach(() => (known = host()));
  afterEach(() => expect(host(), 'the host').to.deep.equal(known));

  /** Marks all processes that `work` starts. */
  async function withMark(mark: number, work: () => Promise<void>): Promise<void> {
    markProcess(process.pid, mark);
    try {
      await work();
    } finally {
      markProcess(process.pid, limit === 'unlimited' ? limit : Number(limit));
    }
  }

  it('can be opened and closed again and again: each time all ports forward at once, and nothing is left', async () => {
    await withMark(firstMark, async () => {
      for (let round = 0; round < 20; round++) {
        const lab = await Lab.open(sandboxDriver);
        try {
          const ports = await readBridgePorts(lab.switch.stack);
          const states = ports.map(({ ifname, state }) => `${ifname} ${state}`).sort();
          expect(states, `round ${round}`).to.deep.equal(['node1 forwarding', 'node2 forwarding', 'router forwarding']);
          if (round === 0) expect(marked(firstMark).length, 'processes of a lab').to.be.above(5);
        } finally {
          await lab.close();
        }
        await noneMarked(firstMark);
      }
    });
  });

  it('stands beside others that have the same names and addresses', async () => {
    const labs = await Promise.all(Array.from({ length: 10 }, () => Lab.open(sandboxDriver)));
    try {
      await Promise.all(
        labs.map(async (lab, index) => {
          await lab.node1.configure({ addresses: ['10.0.0.1/24'] });
          await lab.node2.configure({ addresses: [`10.0.0.${100 + index}/24`] });
        }),
      );
      const results = await Promise.all(
        labs.map(async ({ node1 }, index) => [
          (await ping(node1.stack, `10.0.0.${100 + index}`, { wait: 5 })).received,
          (await ping(node1.stack, `10.0.0.${100 + ((index + 1) % 10)}`, { wait: 0.1 })).received,
        ]),
      );
      expect(results, 'answers of its own node2, and of another lab’s').to.deep.equal(labs.map(() => [1, 0]));
    } finally {
      await Promise.all(labs.map((lab) => lab.close()));
    }
  });

  it('goes with the harness when that is killed, in whatever moment', async () => {
    const moments = [0, 3, 8, 15, 25, 40, 60, 90, 'ready', 'busy'] as const;
    await Promise.all(moments.map((moment, index) => killHarness(moment, firstMark + 1 + index)));
  });

  it('ends though one of its processes ignores all signals and another is stopped', async () => {
    await withMark(firstMark + 20, async () => {
      const lab = await Lab.open(sandboxDriver);
      for (const line of ["trap '' HUP INT TERM PIPE; while :; do sleep 1; done", 'kill -STOP $$'])
        await lab.machines.machine.run(['setsid', '-f', 'sh', '-c', `exec >/dev/null 2>&1; ${line}`]);
      await lab.close();
      await noneMarked(firstMark + 20);
    });
  });

  it('is gone when its init or what started it is killed, and can be closed all the same', async () => {
    await withMark(firstMark + 21, async () => {
      for (const victim of ['init', 'unshare']) {
        const init = await startInit({ host: newKeyPair(), user: newKeyPair() }, ['node1']);
        process.kill(victim === 'init' ? init.pid : init.process.pid!, 'SIGKILL');
        await noneMarked(firstMark + 21);
        await stopInit(init);
        await stopInit(init);
      }
    });
  });

  it('that cannot be built says so in the words of what failed, and leaves nothing', async () => {
    await withMark(firstMark + 22, async () => {
      const nodes = ['node1', 'no/such/name'] as unknown as typeof topology.nodes;
      const error = await sandboxDriver
        .open({ ...topology, nodes }, () => Promise.resolve())
        .catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(MacvlabError).with.property('code', 'LAB_OPEN');
      expect((error as MacvlabError).evidence).to.contain('no/such/name');
      await noneMarked(firstMark + 22);
    });
  });

  it('where no further overlay can be stacked, the root is read-only, but for /etc and what is in memory', () => {
    const module = (name: string) => JSON.stringify(new URL(name, import.meta.url).href);
    const script = `
      const { Lab } = await import(${module('../../lab/lab.js')});
      const { sandboxDriver } = await import(${module('./sandbox.js')});
      const lab = await Lab.open(sandboxDriver);
      const words = ['mount | grep " on / "', ...${JSON.stringify(['/usr', '/etc', '/root', '/tmp', '/run'])}.map((place) => 'touch ' + place + '/x')];
      const results = [];
      for (const line of words) results.push(await lab.node1.stack.session.run(['sh', '-c', line]));
      await lab.close();
      process.stdout.write(JSON.stringify(results.map(({ status, stdout, stderr }) => ({ status, text: stdout + stderr }))));
      process.exit();`;
    const stacked = `
      mount -t tmpfs tmpfs /mnt; cd /mnt; low=/
      for n in 1 2 3; do
        mkdir u$n w$n r$n
        mount -t overlay -o lowerdir=$low,upperdir=/mnt/u$n,workdir=/mnt/w$n overlay r$n || break
        low=/mnt/r$n
      done
      for each in dev proc sys run tmp; do mount --rbind /$each $low/$each; done
      cd $low; pivot_root . .; umount -l .; cd /
      exec "$@"`;
    const node = [process.execPath, '--input-type=module', '--eval', script];
    const { stdout, stderr } = spawnSync(
      'unshare',
      ['--mount', '--propagation', 'private', 'sh', '-c', stacked, 'sh', ...node],
      {
        encoding: 'utf8',
      },
    );
    expect(stdout, stderr).not.to.equal('');
    const [root, usr, ...others] = JSON.parse(stdout) as { status: number; text: string }[];
    expect(root?.text).to.match(/\(ro,/);
    expect(usr?.text).to.include('Read-only file system');
    expect(others).to.deep.equal(others.map(() => ({ status: 0, text: '' })));
  });

  it('refuses who is not root', async () => {
    process.seteuid!(65_534);
    let opening: Promise<unknown>;
    try {
      opening = sandboxDriver.open(topology, () => Promise.resolve()).catch((reason: unknown) => reason);
    } finally {
      process.seteuid!(0);
    }
    const error = await opening;
    expect(error).to.be.instanceOf(MacvlabError).with.property('code', 'NOT_ROOT');
    expect((error as MacvlabError).format())
      .to.contain('this process runs as user 65534')
      .and.to.contain('sudo');
  });

  it('finds everything that it needs, or names it', async () => {
    for (const { what, found, detail } of await sandboxDriver.check())
      expect(found, `${what}: ${detail}`).to.equal(true);
  });
});

/** Starts a harness that opens a lab, and kills it at a moment: milliseconds after its first step, or in a later state. */
async function killHarness(moment: number | 'ready' | 'busy', mark: number): Promise<void> {
  const harness = startHarness(mark);
  try {
    await says(harness, moment === 'ready' || moment === 'busy' ? moment : 'begins');
    if (typeof moment === 'number') await pause(moment);
    else expect(marked(mark).length, `processes of a lab, ${moment}`).to.be.above(5);
  } finally {
    const ended = once(harness, 'exit');
    harness.kill('SIGKILL');
    await within(ended, { what: 'the harness to be gone', deadline: timeout(10_000) });
  }
  await noneMarked(mark);
}

function startHarness(mark: number): ChildProcess {
  const module = (name: string) => JSON.stringify(new URL(name, import.meta.url).href);
  const script = `
    const { Lab } = await import(${module('../../lab/lab.js')});
    const { sandboxDriver } = await import(${module('./sandbox.js')});
    console.log('begins');
    const lab = await Lab.open(sandboxDriver);
    console.log('ready');
    await lab.listening.start();
    const busy = Array.from({ length: 20 }, () => lab.node1.stack.start(['sh', '-c', 'sleep 60 & wait'], 'probe'));
    await Promise.all(busy);
    console.log('busy');
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
  await within(heard, { what: `the harness to say ${word}`, deadline: 15_000, evidence: () => said });
}
