import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { cacheFolder } from '../../core/cache.js';
import { identify } from '../../core/process-identity.js';
import type { LabDriver, Machines } from '../driver.js';
import { knownAcceleration } from '../qemu/acceleration.js';
import { resumedNotice } from '../qemu/console.js';
import { topology } from '../topology.js';
import { guestImages } from '../../image/images.js';
import { savedState } from '../qemu/saved-states.js';
import { resumedScript } from './guest-script.js';
import { starter, stateRecipe } from './placed-guests.js';
import { shapes } from './shapes.js';
import { vmDriver } from './vm.js';
import { whyNoGuests } from './vm.test-support.js';

const why = whyNoGuests();

/** The tests have a cache of their own with one state, which the first of them makes. */
describe(`guests that resume from a saved state${why}`, function resuming() {
  this.timeout(180_000);
  let cache: string;
  let own: string | undefined;
  let driver: LabDriver;
  const remarks: string[] = [];
  const open: Machines[] = [];

  before(async function needsGuests() {
    if (why || knownAcceleration()?.kind === 'kvm') this.skip();
    own = process.env['MACVLAB_CACHE'];
    const shared = cacheFolder();
    cache = mkdtempSync(join(tmpdir(), 'macvlab-resume-'));
    for (const name of readdirSync(shared).filter((entry) => entry !== 'guest-states')) {
      symlinkSync(join(shared, name), join(cache, name));
    }
    process.env['MACVLAB_CACHE'] = cache;
    driver = vmDriver({ guests: 1, remark: (line) => remarks.push(line) });
    await driver.prepare?.();
  });
  beforeEach(() => void remarks.splice(0));
  afterEach(() => Promise.all(open.splice(0).map((machines) => machines.close())));
  after(() => {
    if (own === undefined) delete process.env['MACVLAB_CACHE'];
    else process.env['MACVLAB_CACHE'] = own;
    if (cache) rmSync(cache, { recursive: true });
  });

  async function lab(from = driver): Promise<Machines> {
    const machines = await from.open(topology, () => Promise.resolve());
    open.push(machines);
    return machines;
  }

  const output = async ({ machine }: Machines, script: string) => (await machine.run(['sh', '-c', script])).stdout;
  const consoleOf = ({ kernelLog }: Machines) => kernelLog.text().get('guest') ?? '';
  const folder = () => join(cache, 'guest-states');
  const memories = () =>
    readdirSync(folder())
      .map((name) => join(folder(), name, 'memory'))
      .filter((file) => existsSync(file));

  function memory(): string {
    const [file, ...others] = memories();
    expect(others).to.deep.equal([]);
    return file ?? expect.fail('no state is saved');
  }

  it('the first lab saves the state and prints that; the guest’s console has the boot, and the notice', async () => {
    const machines = await lab();
    expect(remarks).to.have.lengthOf(1);
    expect(remarks[0]).to.match(/^saving the state of guest, from which later guests resume/);
    expect(consoleOf(machines)).to.match(/^macvlab: control [\d.]+$/m);
    expect(consoleOf(machines)).to.include(resumedNotice);
    expect(readdirSync(folder()), 'no lock and no incomplete state remains').to.have.lengthOf(1);
  });

  it('two guests of one state: neither random numbers nor keys are the same, and the clock is right', async () => {
    const state = memory();
    const guests = await Promise.all([lab(), lab()]);
    expect(remarks).to.deep.equal([]);
    for (const script of ['head -c 32 /dev/urandom | od -An -tx1', 'cat /proc/sys/kernel/random/boot_id']) {
      const [one, other] = await Promise.all(guests.map((machines) => output(machines, script)));
      expect(one, script).to.not.equal(other);
    }
    const [one, other] = guests.map(({ ssh }) => ssh.hostKey);
    expect(one).to.not.equal(other);
    for (const { machine } of guests) {
      const { ahead, error } = machine.clock;
      // The state is older than the boot of a guest.
      expect(Math.abs(ahead), 'microseconds').to.be.below(2_000_000 + error);
    }
    // The beginning of every private key file of OpenSSH, after its first line.
    expect(readFileSync(state).includes(Buffer.from('openssh-key-v1\0').toString('base64').slice(0, 19))).to.equal(
      false,
    );
  });

  it('two guests of one state: different random numbers from the first byte on', async () => {
    const [place] = shapes[1];
    const images = await guestImages({ guests: 1 });
    const starting = { images, accelerator: 'tcg', count: 1, folder: undefined, cables: topology.cables } as const;
    const state = await savedState(stateRecipe(place, starting));
    if (!state) throw new Error('no state is saved');
    const first = async () => {
      const { guest } = starter(starting, new Map([[place, state]]), [])(place);
      try {
        await guest.resume(5000);
        const print = 'echo "bytes: $(head -c 16 /dev/urandom | od -An -tx1)" >/dev/console';
        await guest.boot([...resumedScript(Date.now() * 1000, []), print], 20_000);
        const bytes = () => /^bytes: ([ 0-9a-f]{48})$/m.exec(guest.console.text)?.[1];
        return await guest.console.changes.until(bytes, { what: 'random bytes', deadline: 20_000 });
      } finally {
        await guest.close();
      }
    };
    expect(await first()).to.not.equal(await first());
  });

  it('a kernel’s log after the resume is on the console, behind the notice', async () => {
    const machines = await lab();
    await output(machines, 'echo "<4>after the resume" >/dev/kmsg');
    await machines.kernelLog.settle();
    const text = consoleOf(machines);
    expect(text.indexOf('after the resume')).to.be.above(text.indexOf(resumedNotice));
    expect(await output(machines, 'cat /proc/sys/kernel/tainted')).to.equal('0\n');
  });

  it('--boot: the guest boots', async () => {
    const machines = await lab(vmDriver({ guests: 1, boot: true }));
    expect(consoleOf(machines)).to.not.include(resumedNotice);
  });

  it('a truncated state is replaced', async () => {
    truncateSync(memory(), 1000);
    expect(consoleOf(await lab())).to.include(resumedNotice);
    expect(remarks.map((line) => line.slice(0, 16))).to.deep.equal(['saving the state']);
  });

  it('a damaged state: the guest boots with one notice, and the state is removed and not made again at once', async () => {
    const bytes = readFileSync(memory());
    writeFileSync(memory(), bytes.fill('x', 0, 4096));
    expect(consoleOf(await lab())).to.not.include(resumedNotice);
    expect(remarks).to.have.lengthOf(1);
    expect(remarks[0]).to.match(
      /^the guests boot, because one did not resume from its saved state: guest did not resume/,
    );
    expect(memories()).to.deep.equal([]);
    remarks.splice(0);
    expect(consoleOf(await lab())).to.not.include(resumedNotice);
    expect(remarks).to.deep.equal([]);
  });

  it('a state that another process makes at the moment is not waited for: the guest boots', async () => {
    const [failed = ''] = readdirSync(folder());
    rmSync(folder(), { recursive: true });
    mkdirSync(folder());
    const claim = join(folder(), failed.replace('.failed', '.claim'));
    writeFileSync(claim, JSON.stringify(identify(process.ppid)));
    expect(consoleOf(await lab())).to.not.include(resumedNotice);
    expect(readdirSync(folder())).to.deep.equal([failed.replace('.failed', '.claim')]);
  });
});
