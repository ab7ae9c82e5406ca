import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { macvlab } from '../command-line.test-support.js';

describe('macvlab bisect', function bisect() {
  this.timeout(60_000);
  let cwd = '';
  let env: NodeJS.ProcessEnv = {};

  /** The archive cannot be reached, so that only the kernels of this cache are available. */
  before(() => {
    const folder = mkdtempSync(join(tmpdir(), 'macvlab-bisect-'));
    cwd = join(folder, 'here');
    mkdirSync(cwd);
    env = {
      ...{ MACVLAB_CACHE: join(folder, 'cache'), MACVLAB_STATE: join(folder, 'state') },
      ...{ MACVLAB_DEBIAN_MIRROR: `file://${folder}/none`, MACVLAB_DEBIAN_KEYRING: join(folder, 'none.gpg') },
    };
    for (const upstream of ['6.1.192', '6.12.94', '6.12.117']) {
      const [release, version] = [`${upstream}-cloud-amd64`, `${upstream}-1`];
      const entry = join(folder, 'cache/kernels', `${release}_${version}`);
      mkdirSync(join(entry, 'lib/modules', release), { recursive: true });
      const kernel = { release, upstream, version, suites: ['trixie'], labels: [], packages: [], bytes: 1 };
      writeFileSync(join(entry, 'kernel.json'), JSON.stringify(kernel));
      for (const file of ['vmlinuz', 'config', `lib/modules/${release}/modules.dep`])
        writeFileSync(join(entry, file), '');
    }
  });
  after(() => rmSync(join(cwd, '..'), { recursive: true, force: true }));

  const ends = ['--good', '6.1', '--bad', '6.12'];

  for (const [words, said] of [
    [[], "required option '--good <kernel>' not specified"],
    [['A1.3', '--good', '6.1'], "required option '--bad <kernel>' not specified"],
    [ends, 'missing required argument'],
    [[...ends, 'A1.3', 'A1.4'], 'too many arguments'],
    [[...ends, 'Z9.9'], 'no experiment matches "Z9.9"'],
    [[...ends, 'A1'], 'one can be looked for at a time'],
    [[...ends, 'A1.3', '--jobs', '0'], 'whole number from 1'],
    [[...ends, 'A1.3', '--out', ''], 'has an empty name'],
    [['A1.3', '--good', '6.1', '--bad', '9.9'], 'there is no kernel “9.9”'],
    [['A1.3', '--good', '6.0', '--bad', '6.12'], 'there is no kernel “6.0”'],
    [['A1.3', '--good', '6.1', '--bad', '6.1'], 'good and bad are the same kernel: 6.1 means 6.1.192-cloud-amd64'],
    [['A1.3', '--good', '6.12', '--bad', '6.12.117'], '6.12 and 6.12.117 mean'],
    [['A1.3', '--good', '6.1', '--bad', './bzImage'], 'a kernel of your own'],
  ] as const) {
    it(`refuses \`macvlab bisect ${words.join(' ')}\` before anything is made`, async () => {
      const { status, stdout, stderr } = await macvlab(['bisect', ...words], { cwd, env });
      expect(stderr)
        .to.include(said)
        .and.to.match(/^ {2}next: /m);
      expect({ status, stdout }).to.deep.equal({ status: 2, stdout: '' });
      expect(readdirSync(cwd)).to.deep.equal([]);
    });
  }

  it('names the experiments among which it cannot choose', async () => {
    const { stderr } = await macvlab(['bisect', ...ends, 'A1'], { cwd, env });
    expect(stderr).to.match(/they are: A1\.1 A1\.2 /);
  });

  it('explains itself', async () => {
    const { status, stdout } = await macvlab(['bisect', '--help'], { cwd, env });
    expect(status).to.equal(0);
    expect(stdout).to.include('Examples:').and.to.include('git bisect run macvlab run --kernel . --bisect');
  });
});
