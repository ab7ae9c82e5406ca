import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { expect } from 'chai';
import { errorOf } from '../../core/error.test-support.js';
import type { MacvlabError } from '../../core/error.js';
import { aBzImage, put } from '../../kernel/own/own-kernel.test-support.js';
import { upstreamOf } from '../../kernel/debian/debian-version.js';
import { chooseKernels, type KernelChoice, refuseRebuilt } from './choose-kernels.js';
import type { MatrixKernel } from '../record.js';

describe('the kernels of a matrix', () => {
  const saved = { ...process.env };
  const home = process.cwd();
  let folder = '';

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'macvlab-choose-'));
    // The archive is unreachable, so that the cache has all kernels.
    Object.assign(process.env, {
      MACVLAB_CACHE: join(folder, 'cache'),
      MACVLAB_DEBIAN_MIRROR: `file://${folder}/none`,
      MACVLAB_DEBIAN_KEYRING: join(folder, 'none.gpg'),
    });
    putKernel('6.1.0-55', '6.1.192-1', ['bookworm']);
    putKernel('6.1.0-56', '6.1.192-2', ['bookworm-security'], ['bookworm', 'bookworm-security']);
    putKernel('6.12.107+deb13', '6.12.107-1', ['trixie']);
    putKernel('6.12.117+deb12', '6.12.117-1~deb12u1', ['bookworm-security']);
    putKernel('6.12.117+deb13', '6.12.117-1', ['trixie-security'], ['trixie', 'trixie-security']);
    putKernel('7.2.13+deb14', '7.2.13-1', ['sid'], ['sid']);
    putKernel('7.3', '7.3~rc6-1~exp1', ['experimental']);
    putKernel('7.3', '7.3~rc7-1~exp1', ['experimental'], ['experimental']);
    putKernel('7.3.4+deb13', '7.3.4-1~bpo13+1', ['trixie-backports'], ['newest', 'trixie-backports']);
  });

  afterEach(() => {
    process.chdir(home);
    process.env = { ...saved };
    rmSync(folder, { recursive: true, force: true });
  });

  /** A kernel in the cache, with the files that the catalogue reads. */
  function putKernel(abi: string, version: string, suites: string[], labels: string[] = []): void {
    const release = `${abi}-cloud-amd64`;
    const entry = join(folder, 'cache/kernels', `${release}_${version}`);
    const kernel = { release, upstream: upstreamOf(version), version, suites, labels, packages: [], bytes: 1 };
    put(join(entry, 'kernel.json'), JSON.stringify(kernel));
    for (const file of ['vmlinuz', 'config', `lib/modules/${release}/modules.dep`]) put(join(entry, file));
  }

  const at = (path: string) => join(folder, path);
  const choose = (kernels: string, choice: Partial<KernelChoice> = {}): Promise<MatrixKernel[]> =>
    chooseKernels({ kernels: kernels === '' ? [] : kernels.split(','), ...choice });
  const namesOf = (kernels: readonly MatrixKernel[]) => kernels.map(({ name, spec }) => `${name}=${spec}`);
  const refusal = (kernels: string, choice: Partial<KernelChoice> = {}): Promise<MacvlabError> =>
    errorOf(choose(kernels, choice));

  it('are called what was asked for, and are each one and the same from then on', async () => {
    expect(await choose('6.12,6.1.0-55')).to.deep.equal([
      {
        ...{ name: '6.1.0-55', spec: '6.1.192-1', version: '6.1.192', release: '6.1.0-55-cloud-amd64' },
        ...{ origin: 'Debian bookworm, 6.1.192-1', slot: '6.1.0-55' },
      },
      {
        ...{ name: '6.12', spec: '6.12.117-1', version: '6.12.117', release: '6.12.117+deb13-cloud-amd64' },
        ...{ origin: 'Debian trixie-security, 6.12.117-1', slot: '6.12' },
      },
    ]);
  });

  it('stand from the oldest to the newest, candidates before their release', async () => {
    expect(namesOf(await choose('7.3,6.12,7.3-rc,7.3-rc6,6.1,trixie'))).to.deep.equal([
      '6.1=6.1.192-2',
      '6.12=6.12.117-1',
      '7.3-rc6=7.3~rc6-1~exp1',
      '7.3-rc=7.3~rc7-1~exp1',
      '7.3=7.3.4-1~bpo13+1',
    ]);
  });

  it('lead to themselves again: candidates have all the same release', async () => {
    const chosen = await choose('7.3-rc6,7.3-rc7,6.1.0-55,6.12.117-1~deb12u1');
    expect(namesOf(await choose(chosen.map(({ name, spec }) => `${name}=${spec}`).join()))).to.deep.equal(
      namesOf(chosen),
    );
  });

  it('are the newest of each series', async () => {
    const newest = ['6.1=6.1.192-2', '6.12=6.12.117-1', '7.2=7.2.13-1', '7.3=7.3.4-1~bpo13+1'];
    expect(namesOf(await choose('all'))).to.deep.equal(newest);
    mkdirSync(at('all'));
    process.chdir(folder);
    expect(namesOf(await choose('all'))).to.deep.equal(newest);
  });

  it('are the newest of each series beside others', async () => {
    expect(namesOf(await choose('6.1.0-55,all,6.12'))).to.deep.equal([
      '6.1.0-55=6.1.192-1',
      '6.1=6.1.192-2',
      '6.12=6.12.117-1',
      '7.2=7.2.13-1',
      '7.3=7.3.4-1~bpo13+1',
    ]);
  });

  it('are those of a suite, with its security updates', async () => {
    expect(namesOf(await choose('', { suite: 'bookworm' }))).to.deep.equal([
      '6.1=6.1.192-2',
      '6.12=6.12.117-1~deb12u1',
    ]);
    expect(namesOf(await choose('6.12', { suite: 'trixie' }))).to.deep.equal(['6.12=6.12.117-1']);
    expect(namesOf(await choose('all', { suite: 'unstable' }))).to.deep.equal(['7.2=7.2.13-1']);
    const { code, message, evidence } = await refusal('6.1,7.2', { suite: 'trixie' });
    expect({ code, message }).to.deep.equal({ code: 'KERNEL_UNKNOWN', message: '2 of the kernels do not exist' });
    expect(evidence).to.include('“6.1” in trixie; nearest: 6.12').and.to.include('“7.2” in trixie');
  });

  it('are told from a suite that there is not', async () => {
    const error = await refusal('6.12', { suite: 'buzz' });
    expect(error).to.include({ code: 'KERNEL_UNKNOWN', message: 'no kernel is of a suite “buzz”' });
    expect(error.evidence).to.include('bookworm, bookworm-security, experimental, sid, trixie');
    // Also if the user chooses no other kernel.
    const own = put(at('bzImage'), aBzImage());
    expect((await refusal(own, { suite: 'buzz' })).message).to.equal(error.message);
    expect(await choose(own, { suite: 'trixie' })).to.have.lengthOf(1);
  });

  it('are one’s own by their paths, found again from everywhere', async () => {
    put(at('bzImage'), aBzImage({ release: '6.12.3-mine' }));
    process.chdir(folder);
    const [bare] = await choose('./bzImage');
    expect(bare?.build).to.match(/^own-[0-9a-f]{16}-builtin$/);
    expect(bare).to.deep.include({
      ...{ name: './bzImage', spec: at('bzImage'), version: '6.12.3', release: '6.12.3-mine' },
      ...{ origin: 'own image #1 SMP today', slot: '6.12.3-mine' },
    });
    const [kernel] = await choose(`patched=${relative(folder, at('bzImage'))}`);
    expect(kernel).to.include({ name: 'patched', spec: at('bzImage'), slot: 'patched' });
  });

  it('are refused when they have been built anew since: a resumed column would tell of two kernels', async () => {
    const image = put(at('bzImage'), aBzImage({ release: '6.12.3-mine' }));
    const chosen = await choose(`patched=${image}`);
    await refuseRebuilt(chosen);
    put(at('bzImage'), aBzImage({ release: '6.12.3-mine', payload: Buffer.from('another') }));
    const error = await errorOf(refuseRebuilt(chosen));
    expect(error).to.include({ code: 'USAGE' });
    expect(error.message).to.contain('patched has been built anew');
  });

  it('have as one’s own the version that their package has, where it says', async () => {
    for (const [release, version] of [
      ['6.1.0-56-amd64 (debian-kernel@lists.debian.org) #1 SMP Debian 6.1.192-2 (2026-11-16)', '6.1.192'],
      ['7.3-amd64 (debian-kernel@lists.debian.org) #1 SMP Debian 7.3~rc7-1~exp1 (2026-10-16)', '7.3-rc7'],
      ['6.19.0-rc3-00012-gabcdef (me@here) #1 SMP today', '6.19.0-rc3'],
      ['next-20261120 (me@here) #1 SMP today', 'next-20261120'],
    ] as const) {
      const image = put(at('bzImage'), aBzImage({ release }));
      expect((await choose(image))[0]?.version, release).to.equal(version);
    }
  });

  it('stand beside their base when they are patched, and last when they have no version', async () => {
    const patched = put(at('patched'), aBzImage({ release: '6.12.117-patched' }));
    const next = put(at('next'), aBzImage({ release: 'next-20261120' }));
    const chosen = await choose(`next=${next},7.3,6.12,patched=${patched}`);
    expect(chosen.map(({ name }) => name)).to.deep.equal(['6.12', 'patched', '7.3', 'next']);
  });

  it('are named all together when several do not exist', async () => {
    const { code, message, evidence, exit } = await refusal(`6.12,6.13,${at('none')},6.1,fancy=4.19`);
    expect({ code, message, exit }).to.deep.equal({
      ...{ code: 'KERNEL_UNKNOWN', message: '3 of the kernels do not exist', exit: 2 },
    });
    expect(evidence?.split('\n')).to.have.lengthOf(3);
    expect(evidence).to.include('“6.13”').and.to.include('nearest: 6.12, 7.2').and.to.include('“4.19”');
    expect(evidence).to.include(`there is no kernel at ${at('none')}`);
    // A single one has the same message as elsewhere.
    expect((await refusal('6.12,6.13')).message).to.equal('there is no kernel “6.13” among Debian’s cloud kernels');
  });

  it('are performed once, whatever they are called', async () => {
    const remarks: string[] = [];
    const own = put(at('bzImage'), aBzImage());
    const given = `6.12,trixie,6.12,6.12.117,own=${own},again=${relative('.', own)}`;
    const chosen = await choose(given, { onRemark: (line) => remarks.push(line) });
    expect(chosen.map(({ name }) => name)).to.deep.equal(['own', '6.12']);
    expect(remarks).to.deep.equal([
      'trixie and 6.12 are the same kernel, 6.12.117+deb13-cloud-amd64: performed once',
      '6.12.117 and 6.12 are the same kernel, 6.12.117+deb13-cloud-amd64: performed once',
      'again and own are the same kernel, 6.1.0-own: performed once',
    ]);
  });

  it('cannot have one name', async () => {
    const error = await refusal('6.12=6.1,6.12');
    expect(error.code).to.equal('USAGE');
    expect(error.message).to.match(/^two kernels would be called 6\.12: 6\.1\.0-56\S+ and 6\.12\.117\+deb13/);
  });

  it('have a folder each, whatever they are called', async () => {
    const kernels = ['x-2=6.1', 'x=6.12', 'X=7.2', '..=7.3', '6.1.0-55', `-=7.3-rc`];
    const slots = (await choose(kernels.join())).map(({ slot }) => slot);
    expect(new Set(slots)).to.have.lengthOf(kernels.length);
    for (const slot of slots) expect(slot).to.match(/^[a-z0-9][a-z0-9.-]*$/);
  });

  for (const kernels of ['6.12,,6.1', ' ', 'patched=', '=6.12', ' =6.12', 'x=all']) {
    it(`cannot be “${kernels}”`, async () => {
      const error = await refusal(kernels);
      expect(error.code).to.equal('USAGE');
      expect(error.next).to.include('--kernels');
    });
  }

  it('have modules of their own when they are Debian’s', async () => {
    expect((await refusal('6.12,all', { modules: folder })).code).to.equal('USAGE');
  });

  it('are told of before anything is begun: a tree that is not built is no row of errors', async () => {
    put(at('linux/Makefile'));
    put(at('linux/include/config/auto.conf'));
    expect((await refusal(`6.12,${at('linux')}`)).code).to.equal('KERNEL_UNSUITABLE');
  });
});
