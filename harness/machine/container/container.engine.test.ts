import { expect } from 'chai';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MacvlabError } from '../../core/error.js';
import { runProgram } from '../../core/program.js';
import { timeout, pause, poll, within } from '../../core/wait.js';
import { readBridgePorts } from '../../link/bridge-port.js';
import { ping } from '../../probe/ping.js';
import { Lab } from '../../lab/lab.js';
import { findRoot } from '../../image/root-tree.js';
import { noClocks } from '../driver.js';
import { containerDriver } from './container.js';
import { importImage, listContainers } from './containers.js';
import { hostLinks, TestEngine, whyNoContainers } from './engine.test-support.js';
import { labLabel, labelsOf } from './labels.js';
import { clearAway } from './leftovers.js';
import { archived, nodeImage } from './node-image.js';

const why = whyNoContainers();

describe(`the container lab${why}`, function () {
  this.timeout(600_000);
  let engine: TestEngine;
  let links: string;
  let folder: string;
  let states: string | undefined;

  before(async function () {
    if (why !== '') this.skip();
    links = hostLinks();
    folder = mkdtempSync(join(tmpdir(), 'macvlab-container-'));
    states = process.env.MACVLAB_STATE;
    process.env.MACVLAB_STATE = join(folder, 'state');
    engine = await TestEngine.start();
  });
  after(async () => {
    if (why !== '') return;
    await engine.stop();
    if (states === undefined) delete process.env.MACVLAB_STATE;
    else process.env.MACVLAB_STATE = states;
    rmSync(folder, { recursive: true });
  });
  afterEach(async () => {
    if (why !== '') return;
    expect(await engine.ours(), 'containers').to.deep.equal([]);
    expect(hostLinks(), 'the host’s links').to.equal(links);
  });

  it('finds all that it needs, and is prepared', async () => {
    const driver = containerDriver({});
    expect(await driver.prepare?.())
      .to.have.property('image')
      .that.matches(/^macvlab-node:[0-9a-f]{12}$/);
    for (const { what, found, detail } of await driver.check()) expect(found, `${what}: ${detail}`).to.equal(true);
  });

  it('has all its ports forwarding, whole cables, IPv6, and one kernel and one clock with us', async () => {
    const lab = await Lab.open(containerDriver({}));
    try {
      const ports = (await readBridgePorts(lab.switch.stack)).map(({ ifname, state }) => `${ifname} ${state}`);
      expect(ports.sort()).to.deep.equal(['node1 forwarding', 'node2 forwarding', 'router forwarding']);
      await lab.node1.configure({ addresses: ['10.0.0.1/24', '2001:db8::1/64'] });
      await lab.node2.configure({ addresses: ['10.0.0.2/24', '2001:db8::2/64'] });
      for (const address of ['10.0.0.2', '2001:db8::2'])
        expect((await ping(lab.node1.stack, address, { wait: 10 })).received, address).to.equal(1);
      expect(lab.machines.roundTrip, 'the clock of this machine').to.equal(noClocks.roundTrip);
    } finally {
      await lab.close();
    }
  });

  it('stands beside others that have the same names and addresses', async () => {
    const driver = containerDriver({});
    const labs = await Promise.all([0, 1, 2].map(() => Lab.open(driver)));
    try {
      expect(await engine.ours()).to.have.lengthOf(9);
      const answers = labs.map(async (lab, index) => {
        await lab.node1.configure({ addresses: ['10.0.0.1/24'] });
        await lab.node2.configure({ addresses: [`10.0.0.${100 + index}/24`] });
        const own = await ping(lab.node1.stack, `10.0.0.${100 + index}`, { wait: 10 });
        const others = await ping(lab.node1.stack, `10.0.0.${100 + ((index + 1) % 3)}`, { wait: 0.1 });
        return [own.received, others.received];
      });
      expect(await Promise.all(answers), 'answers of its own node2, and of another lab’s').to.deep.equal(
        labs.map(() => [1, 0]),
      );
    } finally {
      await Promise.all(labs.map((lab) => lab.close()));
    }
  });

  it('may do little: links, packets, mounts, and nothing outside of its namespaces', async () => {
    const lab = await Lab.open(containerDriver({}));
    try {
      const { stdout } = await lab.machines.machine.run(['sed', '-n', 's/^CapBnd:\\s*//p', '/proc/self/status']);
      // capability.h: SETGID 6, SETUID 7, NET_BIND_SERVICE 10, NET_ADMIN 12, NET_RAW 13, SYS_CHROOT 18, SYS_ADMIN 21
      expect(BigInt(`0x${stdout.trim()}`)).to.equal(
        [6n, 7n, 10n, 12n, 13n, 18n, 21n].reduce((all, bit) => all | (1n << bit), 0n),
      );
      const write = await lab.machines.machine.run(['sh', '-c', 'echo 0 >/proc/sys/vm/swappiness']);
      expect(write.stderr).to.match(/read-only file system/i);
    } finally {
      await lab.close();
    }
  });

  it('is gone as a whole when one of its parts is killed, and says so', async () => {
    const lab = await Lab.open(containerDriver({}));
    try {
      // The command's own session ends with the container, usually before the response has arrived.
      await lab.machines.machine.run(['sh', '-c', 'kill -KILL $(pidof cat)']).catch(() => undefined);
      const died = new Promise((resolve) => lab.death.addEventListener('abort', resolve, { once: true }));
      if (!lab.death.aborted) await within(died, { what: 'the lab to die', deadline: timeout(30_000) });
      expect(lab.death.reason).to.be.instanceOf(MacvlabError).with.property('code', 'REMOTE_DEAD');
    } finally {
      await lab.close();
    }
  });

  it('goes with the harness when that is killed, in whatever moment', async () => {
    await Promise.all([0, 200, 400, 700, 1000, 1400, 1800, 2400, 'ready'].map((moment) => killHarness(moment, engine)));
    // The engine may still create what a harness requested just before its end.
    const cleared = async () => {
      await clearAway({ dryRun: false });
      return (await engine.ours()).length === 0 || undefined;
    };
    await poll(cleared, { what: 'what was left of killed harnesses to be gone', deadline: timeout(60_000) });
  });

  it('leaves alone what is not ours, what lives, and what comes from elsewhere; removes what is orphaned', async () => {
    const image = await nodeImage(engine.engine);
    const dead = { ...labelsOf('00000001', false), 'macvlab.maker': `${2 ** 22 + 1} 1` };
    const kinds = {
      living: labelsOf('00000002', false),
      elsewhere: { ...dead, 'macvlab.home': 'another boot' },
      stranger: { macvlab: 'yes' },
      orphan: dead,
    };
    for (const [name, Labels] of Object.entries(kinds)) {
      const body = { Image: image, Cmd: ['sleep', '1'], Labels, HostConfig: { NetworkMode: 'none' } };
      await engine.engine.ask({ what: 'make', method: 'POST', path: '/containers/create', query: { name }, body });
    }
    try {
      expect((await clearAway({ dryRun: true })).map(({ name }) => name)).to.deep.equal(['orphan']);
      expect((await clearAway({ dryRun: false })).map(({ name }) => name)).to.deep.equal(['orphan']);
      const left = await listContainers(engine.engine, labLabel);
      expect(left.map(({ name }) => name).sort()).to.deep.equal(['elsewhere', 'living']);
    } finally {
      for (const name of Object.keys(kinds).filter((each) => each !== 'orphan'))
        await engine.engine.askText({ what: 'remove', method: 'DELETE', path: `/containers/${name}` });
    }
  });

  it('refuses an image that lacks programs, naming them', async () => {
    const error = await openingWith('lacking');
    expect(error.code).to.equal('ENGINE_REFUSED');
    expect(error.message).to.equal('the image lacks: tcpdump');
  });

  it('refuses an image that cannot be started or had, in the engine’s words', async () => {
    for (const image of ['empty', 'localhost:1/no/such:image']) {
      const error = await openingWith(image);
      expect(error.code, image).to.equal('ENGINE_REFUSED');
      expect(error.evidence, image).to.match(/sh|connection refused/);
    }
  });

  it('with --privileged comes up, or the engine’s refusal is told', async () => {
    const opening = Lab.open(containerDriver({ privileged: true }));
    const outcome = await opening.catch((error: unknown) => error);
    if (outcome instanceof Lab) await outcome.close();
    else expect(outcome).to.be.instanceOf(MacvlabError).with.property('code', 'ENGINE_REFUSED');
  });

  /** Opens a lab with an unsuitable image: an empty one, one that lacks a program, or one that does not exist. */
  async function openingWith(image: string): Promise<MacvlabError> {
    const without = { empty: ['--no-recursion'], lacking: ['--exclude=tcpdump'] }[image];
    if (without) await makeImage(image, without);
    const error: unknown = await Lab.open(containerDriver({ image })).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(MacvlabError);
    return error as MacvlabError;
  }

  /** Creates an image from a part of the project's image. */
  async function makeImage(name: string, without: readonly string[]): Promise<void> {
    await nodeImage(engine.engine);
    const [tree, file] = [join(folder, name), join(folder, `${name}.tar`)];
    const script = 'mkdir "$1" && tar -xf "$2" -C "$1" && shift 2 && tar -cf "$@"';
    const argv = ['sh', '-c', script, 'sh', tree, findRoot(archived) ?? '', file, '-C', tree, ...without, '.'];
    await runProgram(argv, { what: 'make an image', next: 'install tar' });
    await importImage(engine.engine, file, name, 'latest');
  }
});

/** Starts a harness that opens a lab, and kills it at a moment: milliseconds after its first step, or when the lab is open. */
async function killHarness(moment: number | string, { host }: TestEngine): Promise<void> {
  const harness = startHarness(host);
  try {
    await says(harness, typeof moment === 'number' ? 'begins' : moment);
    if (typeof moment === 'number') await pause(moment);
  } finally {
    const ended = once(harness, 'exit');
    harness.kill('SIGKILL');
    await within(ended, { what: 'the harness to be gone', deadline: timeout(10_000) });
  }
}

function startHarness(host: string): ChildProcess {
  const module = (name: string) => JSON.stringify(new URL(name, import.meta.url).href);
  const script = `
    const { Lab } = await import(${module('../../lab/lab.js')});
    const { containerDriver } = await import(${module('./container.js')});
    await import('testcontainers');
    console.log('begins');
    const lab = await Lab.open(containerDriver({}));
    console.log('ready');
    await new Promise(() => process.stdin.resume());`;
  const env = { ...process.env, DOCKER_HOST: host };
  return spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
    cwd: new URL('.', import.meta.url).pathname,
    env,
  });
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
