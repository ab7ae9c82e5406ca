import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { TestArchive } from '../../kernel/debian/archive.test-support.js';
import { aBzImage, put } from '../../kernel/own/own-kernel.test-support.js';
import type { JobPlan } from '../../matrix/plan/job-plan.js';
import { type Ended, macvlab } from '../command-line.test-support.js';
import { needs } from '../../setup/needs.test-support.js';

const packages = [
  ['6.1.0-9-cloud-amd64', '6.1.9-1'],
  ['6.12.7+deb13-cloud-amd64', '6.12.7-1'],
] as const;

describe('macvlab matrix --plan', function () {
  this.timeout(60_000);
  let folder = '';
  let cwd = '';
  let archive: TestArchive | undefined;

  const call = (...words: string[]): Promise<Ended> =>
    macvlab(['matrix', ...words], {
      cwd,
      env: {
        ...archive?.environment,
        ...{ MACVLAB_CACHE: join(folder, 'cache'), MACVLAB_STATE: join(folder, 'state') },
      },
    });

  before(function () {
    needs(this, 'apt-get', 'dpkg-deb', 'gpg', 'gpgv');
    folder = mkdtempSync(join(tmpdir(), 'macvlab-plan-'));
    cwd = mkdtempSync(join(folder, 'cwd-'));
    archive = new TestArchive(join(folder, 'debian'));
    archive.publish(packages.map(([release, version]) => ({ name: `linux-image-${release}`, version })));
  });

  after(() => {
    archive?.remove();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  it('prints as a line what GitHub takes, and each job’s words are a matrix of that kernel alone', async () => {
    const planned = await call('--kernels', 'all', 'A1', '--plan', 'github');
    expect(planned).to.include({ status: 0 });
    expect(planned.stdout.trimEnd().split('\n')).to.have.length(1);
    const { include } = JSON.parse(planned.stdout) as { include: Record<string, string>[] };
    expect(include).to.deep.equal([
      { name: '6.1', slot: '6.1', kernels: '6.1=6.1.9-1', shard: '1/1' },
      { name: '6.12', slot: '6.12', kernels: '6.12=6.12.7-1', shard: '1/1' },
    ]);

    const whole = JSON.parse((await call('--kernels', 'all', 'A1', '--plan', 'json')).stdout) as JobPlan;
    for (const [position, job] of whole.jobs.entries()) {
      const words = job.arguments.slice(1);
      // A word after “--” is a filter.
      const alone = await call('--plan', 'json', ...words);
      expect(alone.status, alone.stderr).to.equal(0);
      const { kernels, experiments, jobs } = JSON.parse(alone.stdout) as JobPlan;
      expect(kernels).to.deep.equal([whole.kernels[position]]);
      expect(experiments).to.deep.equal(whole.experiments);
      expect(jobs[0]?.arguments).to.deep.equal(job.arguments);
    }
    expect(readdirSync(cwd)).to.deep.equal([]);
    // No kernel and no guest image was fetched or built.
    expect(readdirSync(join(folder, 'cache'))).to.deep.equal(['apt']);
  });

  it('prints all of it for people, and for machines in all forms', async () => {
    const text = await call('--kernels', '6.12', 'A1.3', '--plan', 'text');
    expect(text.status).to.equal(0);
    expect(text.stdout)
      .to.match(/^1 kernel:\n {2}6\.12=6\.12\.7-1 {2}Debian sid, 6\.12\.7-1\n\d+ experiments? on each:\n {2}A1\.3 /)
      .and.to.match(
        /\n1 job:\n {2}macvlab matrix --kernels 6\.12=6\.12\.7-1 --shard 1\/1 -- A1\.3 {2}# \d+ experiments?\n$/,
      );
    const json = JSON.parse((await call('--kernels', '6.1,6.12', '--shards', '3', '--plan', 'json')).stdout) as object;
    expect(json).to.have.property('github').with.property('include').with.length(3);
    expect(json).to.have.nested.property('gitlab.kernel.parallel.matrix').with.length(3);
    expect(json).to.have.property('jobs').with.length(3);
    expect(readdirSync(cwd)).to.deep.equal([]);
  });

  it('plans a kernel of one’s own by its path', async () => {
    put(join(cwd, 'build/bzImage'), aBzImage({ release: '6.9.0-own' }));
    const { status, stdout, stderr } = await call('--kernels', 'mine=build/bzImage', '--plan', 'github');
    rmSync(join(cwd, 'build'), { recursive: true });
    expect(status, stderr).to.equal(0);
    expect(JSON.parse(stdout)).to.deep.equal({
      include: [{ name: 'mine', slot: 'mine', kernels: 'mine=./build/bzImage', shard: '1/1' }],
    });
  });

  for (const [words, said] of [
    [['--plan', 'jenkins', '--kernels', '6.1'], 'Allowed choices are text, json, github, gitlab'],
    [['--plan', 'json'], 'no kernels were given'],
    [['--plan', 'json', '--kernels', '6.1,6.2,6.3'], '2 of the kernels do not exist'],
    [['--plan', 'json', '--kernels', '6.1', 'no such experiment'], 'no experiment matches'],
    [['--plan', 'json', '--kernels', '6.1', '--shards', '99'], '99 parts cannot be made'],
    [['--plan', 'json', '--kernels', '6.1', '--shards', '2', '--shard', '1/2'], 'exclude each other'],
    [['--plan', 'json', '--resume'], 'exclude each other'],
    [['--kernels', '6.1', '--shards', '2'], '--shards needs --plan'],
  ] as const) {
    it(`refuses \`macvlab matrix ${words.join(' ')}\` with a next step, and prints nothing`, async () => {
      const { status, stdout, stderr } = await call(...words);
      expect(stderr)
        .to.include(said)
        .and.to.match(/^ {2}next: /m);
      expect({ status, stdout }).to.deep.equal({ status: 2, stdout: '' });
      expect(readdirSync(cwd)).to.deep.equal([]);
    });
  }
});
