import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { cacheFolder as cacheFolderOfLabs } from '../core/cache.js';
import { defaultKernel } from '../kernel/debian/catalogue.js';
import { FakeMachine } from './fake-machine.test-support.js';
import { cacheFolder, defaultSeries, guestsArePrepared } from './guests.mjs';
import { labsAreReady, refuseLabs, setUpLabs, type Wanted } from './labs.mjs';
import { Progress } from './progress.mjs';
import { auditTools, guestTools, oracleTools, realHostTools, requiredTools, vagrantTools } from './tools.mjs';

const forSandbox = requiredTools.map(({ name }) => name);
const forGuests = guestTools.map(({ name }) => name);

/** A checkout on a machine, with a `macvlab lab prepare` that a test defines. */
class Checkout implements Disposable {
  readonly fake: FakeMachine;
  readonly cache: string;
  /** The calls before the sandbox could be used. */
  readonly begun: string[] = [];

  constructor(options: { root?: boolean; architecture?: string } = {}) {
    this.fake = new FakeMachine(options);
    this.cache = path.join(this.fake.root, 'cache');
    this.prepare(`for (const made of ${JSON.stringify(this.entries)}) mkdirSync(made, { recursive: true });`);
  }

  /** The folders of the cache for guests and container engines. */
  get entries(): string[] {
    return ['kernels/6.12.94+deb13-cloud-amd64_6.12.94-1', 'root-images/1-2', 'engines/1-2'].map((name) =>
      path.join(this.cache, name),
    );
  }

  /** Defines the command, in JavaScript. */
  prepare(body: string): void {
    const note = `import { mkdirSync } from 'node:fs';\nmkdirSync('called-with-' + process.argv.slice(2).join('-'), { recursive: true });\n`;
    this.fake.write('package.json', '{ "type": "module" }');
    this.fake.write('dist/harness/cli/main.js', `${note}${body}`);
  }

  /** Whether the command was called. */
  get hasCalled(): boolean {
    return this.hasCalledFor('guests') || this.hasCalledFor('engines');
  }

  hasCalledFor(what: 'guests' | 'engines'): boolean {
    const more = what === 'engines' ? '---engines' : '---images';
    return existsSync(path.join(this.fake.root, `called-with-lab-prepare${more}`));
  }

  /** The errors that remain at the end. */
  async setUp({ built = true, ...wanted }: Wanted & { built?: boolean } = {}): Promise<string[]> {
    const { machine, root } = this.fake;
    const progress = new Progress({ inPlace: false });
    const onSandbox = () => this.begun.push(...this.fake.calls);
    const options = { root, built: Promise.resolve(built), wanted, progress, onSandbox, cache: this.cache };
    return (await setUpLabs(machine, options)).map(({ message }) => message);
  }

  /** The errors if nothing may be installed. */
  refuse(wanted: Wanted = {}): string[] {
    return refuseLabs(this.fake.machine, { wanted, cache: this.cache }).map(({ message }) => message);
  }

  get isReady(): boolean {
    return labsAreReady(this.fake.machine, { cache: this.cache });
  }

  [Symbol.dispose](): void {
    this.fake[Symbol.dispose]();
  }
}

/** A package manager that has only some packages, and refuses the whole installation if it lacks one, like Debian's. */
const managerWithout = (lacking: string, ...programs: string[]) =>
  `case " $* " in *" -Sy "*) exit 0;; esac\ncase " $* " in *" ${lacking} "*) exit 1;; esac\n${programs.map((name) => `cp "$BIN/true" "$BIN/${name}"`).join('\n')}`;

describe('setting up the labs', () => {
  it('installs what the sandbox and images need, then the rest; prepares guests and engines; and is ready', async () => {
    using checkout = new Checkout();
    checkout.fake.have('true', ...forSandbox.filter((name) => name !== 'tcpdump'));
    const qemu = 'qemu-system-x86_64';
    const install = (names: string[]) => names.map((name) => `cp "$BIN/true" "$BIN/${name}"`).join('\n');
    const others = ['tcpdump', ...forGuests.filter((name) => name !== qemu)];
    checkout.fake.script('apk', `case " $* " in *" ${qemu} "*) ${install([qemu])};; *) ${install(others)};; esac`);
    expect(checkout.isReady).to.equal(false);
    expect(await checkout.setUp()).to.deep.equal([]);
    const first = 'apk add apt dpkg kmod squashfs-tools tcpdump util-linux xz';
    expect(checkout.fake.calls).to.deep.equal([first, 'apk add qemu-system-x86_64']);
    expect(checkout.begun).to.deep.equal([first]);
    expect(checkout.hasCalled).to.equal(true);
    expect(checkout.isReady).to.equal(true);
  });

  it('prepares guests once, and only where the project is built', async () => {
    using checkout = new Checkout();
    checkout.fake.have(...forSandbox, ...forGuests);
    await checkout.setUp({ built: false });
    expect(checkout.hasCalled).to.equal(false);
    for (const entry of checkout.entries) mkdirSync(entry, { recursive: true });
    expect(await checkout.setUp({ everyLab: true })).to.deep.equal([]);
    expect(checkout.hasCalled).to.equal(false);
  });

  it('unpacks container engines where guests are prepared already', async () => {
    using checkout = new Checkout();
    checkout.fake.have(...forSandbox, ...forGuests);
    for (const entry of checkout.entries.slice(0, 2)) mkdirSync(entry, { recursive: true });
    expect(checkout.isReady).to.equal(false);
    expect(await checkout.setUp({ everyLab: true })).to.deep.equal([]);
    expect(['guests', 'engines'].map((what) => checkout.hasCalledFor(what as 'guests' | 'engines'))).to.deep.equal([
      false,
      true,
    ]);
    expect(checkout.isReady).to.equal(true);
  });

  it('goes on without guests where they cannot be had, unless every lab is promised', async () => {
    using unprepared = new Checkout();
    unprepared.fake.have(...forSandbox, ...forGuests);
    unprepared.prepare('process.exit(3);');
    expect(await unprepared.setUp()).to.deep.equal([]);
    expect(unprepared.hasCalled).to.equal(true);
    expect(unprepared.isReady).to.equal(false);
    using unknown = new Checkout();
    unknown.fake.have(...forSandbox);
    expect(await unknown.setUp()).to.deep.equal([]);
    expect((await unknown.setUp({ everyLab: true })).join()).to.match(/^missing: qemu-system-x86_64,.*none of apt-get/);
  });

  it('is red where every lab is promised, and guests could not be prepared', async () => {
    using checkout = new Checkout();
    checkout.fake.have(...forSandbox, ...forGuests);
    checkout.prepare('process.exit(3);');
    expect(await checkout.setUp({ everyLab: true })).to.deep.equal([
      'guests could not be prepared: exit status 3',
      'container engines could not be prepared: exit status 3',
    ]);
  });

  it('installs what the sandbox needs even if a package for guests cannot be had', async () => {
    using checkout = new Checkout();
    checkout.fake.have('true', ...forSandbox.filter((name) => name !== 'tcpdump'));
    checkout.fake.script('pacman', managerWithout('squashfs-tools', 'tcpdump'));
    expect(await checkout.setUp()).to.deep.equal([]);
    expect(checkout.fake.calls).to.include('pacman -S --needed --noconfirm tcpdump');
    expect(checkout.begun.at(-1)).to.equal('pacman -S --needed --noconfirm tcpdump');
  });

  it('cannot go on without the sandbox where we are root', async () => {
    using checkout = new Checkout();
    checkout.fake.have(...forGuests, ...forSandbox.slice(1));
    expect((await checkout.setUp()).join()).to.match(/^installing iproute2 failed/);
  });

  it('needs guests alone where we are not root, and asks for what is missing where there are none', async () => {
    using checkout = new Checkout({ root: false });
    checkout.fake.have('apk', ...forGuests);
    expect(await checkout.setUp({ everyLab: true })).to.deep.equal([]);
    expect(checkout.isReady).to.equal(true);
    expect(checkout.fake.calls).to.deep.equal([]);
    using bare = new Checkout({ root: false });
    bare.fake.have('apk');
    expect(await bare.setUp()).to.deep.equal([
      `missing: ${[...forSandbox, ...forGuests].join(', ')}; installing needs root, and there is no sudo`,
    ]);
  });

  it('only says what it would do when it may not install', () => {
    using checkout = new Checkout();
    checkout.fake.have(...forSandbox, ...forGuests.slice(1), 'apk');
    expect(checkout.refuse()).to.deep.equal([]);
    expect(checkout.refuse({ everyLab: true })).to.deep.equal(['missing: qemu-system-x86_64']);
    checkout.fake.have(...forGuests);
    expect(checkout.refuse({ everyLab: true })).to.deep.equal([]);
    expect(checkout.fake.calls).to.deep.equal([]);
    expect(checkout.hasCalled).to.equal(false);
  });

  it('installs Vagrant, and what the audit and tests of real hosts need, where every lab is promised, as root on Debian', async () => {
    using checkout = new Checkout();
    checkout.fake.have('true', ...forSandbox, ...forGuests);
    const more = [...vagrantTools, ...auditTools, ...oracleTools, ...realHostTools].map(({ name }) => name);
    checkout.fake.script('apt-get', managerWithout('none', ...more));
    checkout.fake.script('env', 'shift\nexec "$@"');
    checkout.fake.write('var/lib/dpkg/info/base-files.list', '');
    checkout.fake.write('var/lib/apt/lists/some_Packages', '');
    expect(await checkout.setUp({ everyLab: true })).to.deep.equal([]);
    expect(checkout.fake.calls).to.deep.equal([]);
    checkout.fake.write('etc/debian_version', '12');
    expect(await checkout.setUp()).to.deep.equal([]);
    expect(checkout.fake.calls).to.deep.equal([]);
    expect(await checkout.setUp({ everyLab: true })).to.deep.equal([]);
    expect(checkout.fake.calls.filter((call) => call.startsWith('apt-get'))).to.deep.equal([
      'apt-get -o APT::Status-Fd=1 -o DPkg::Lock::Timeout=300 install -y --no-install-recommends bzip2 cpio ' +
        'dnsmasq-base gpg gpg-agent iproute2 iptables libvirt-clients libvirt-daemon lz4 lzop make nftables openssh-client ' +
        'perl-base qemu-utils ruby shellcheck sudo tshark vagrant-libvirt zstd',
    ]);
  });

  it('installs what tests call, and no Vagrant, where tests are wanted', async () => {
    using checkout = new Checkout();
    checkout.fake.have('true', ...forSandbox, ...forGuests, ...oracleTools.map(({ name }) => name), 'tc', 'perl');
    checkout.fake.script('apt-get', managerWithout('none', ...realHostTools.map(({ name }) => name)));
    checkout.fake.script('env', 'shift\nexec "$@"');
    checkout.fake.write('var/lib/dpkg/info/base-files.list', '');
    checkout.fake.write('var/lib/apt/lists/some_Packages', '');
    checkout.fake.write('etc/debian_version', '12');
    expect(await checkout.setUp()).to.deep.equal([]);
    expect(checkout.fake.calls).to.deep.equal([]);
    expect(await checkout.setUp({ tests: true })).to.deep.equal([]);
    expect(checkout.fake.calls.at(-1)).to.match(/--no-install-recommends nftables openssh-client sudo$/);
  });

  it('asks for no guests where the processor is another', () => {
    using checkout = new Checkout({ architecture: 'arm64' });
    checkout.fake.have(...forSandbox);
    expect(checkout.isReady).to.equal(true);
  });
});

describe('what guests boot from', () => {
  it('is looked for where the labs keep it, by the kernel that they use', () => {
    expect(defaultSeries).to.equal(defaultKernel);
    expect(cacheFolder()).to.equal(cacheFolderOfLabs());
    expect(cacheFolder({ MACVLAB_CACHE: '/a' })).to.equal('/a');
    expect(cacheFolder({ XDG_CACHE_HOME: '/b' })).to.equal('/b/macvlab');
    expect(cacheFolder({ XDG_CACHE_HOME: 'b' })).to.match(/\/\.cache\/macvlab$/);
  });

  it('is there when a kernel of that series and a root image are, whole', () => {
    using checkout = new Checkout();
    const [kernel = '', image = ''] = checkout.entries;
    const parts = [`${kernel}.1-a.part`, image, kernel.replace('6.12', '6.1')];
    for (const part of parts) mkdirSync(part, { recursive: true });
    expect(guestsArePrepared(checkout.cache)).to.equal(false);
    mkdirSync(kernel);
    expect(guestsArePrepared(checkout.cache)).to.equal(true);
  });
});
