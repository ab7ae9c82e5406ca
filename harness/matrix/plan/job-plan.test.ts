import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { MacvlabError } from '../../core/error.js';
import { jobCommand } from './job-plan.js';
import { folder, middle, old, own, plan } from './job-plan.test-support.js';

describe('a job plan', () => {
  it('is one job per kernel, each named by its exact version', () => {
    const { jobs, kernels } = plan();
    expect(
      jobs.map(({ name, slot, kernels, shard, experiments }) => [name, slot, kernels, shard, experiments]),
    ).to.deep.equal([
      ['6.1', '6.1', '6.1=6.1.192-1', '1/1', 4],
      ['6.12', '6.12', '6.12=6.12.117-1', '1/1', 4],
    ]);
    expect(jobs[1]?.arguments).to.deep.equal(['matrix', '--kernels', '6.12=6.12.117-1', '--shard', '1/1']);
    expect(kernels.map(({ name, release, argument }) => [name, release, argument])).to.deep.equal([
      ['6.1', '6.1.192-cloud-amd64', '6.1=6.1.192-1'],
      ['6.12', '6.12.117-cloud-amd64', '6.12=6.12.117-1'],
    ]);
  });

  it('is parts of all kernels when that is wanted, and all parts together perform everything once', () => {
    const { jobs } = plan({}, 3);
    expect(jobs.map(({ name, slot, shard }) => [name, slot, shard])).to.deep.equal(
      [1, 2, 3].map((index) => [`${index}/3`, `${index}-of-3`, `${index}/3`]),
    );
    expect(new Set(jobs.map(({ kernels }) => kernels))).to.deep.equal(new Set(['6.1=6.1.192-1,6.12=6.12.117-1']));
    expect(jobs.reduce((sum, { experiments }) => sum + experiments, 0)).to.equal(8);
    expect(() => plan({}, 5)).to.throw(MacvlabError, '5 parts cannot be made');
  });

  it('is one job where the matrix is one part itself', () => {
    const shared = { ...old, share: [0] };
    const { jobs } = plan({ kernels: [shared, { ...middle, share: [] }], shard: { index: 1, count: 4 } });
    expect(jobs.map(({ kernels, shard, experiments }) => [kernels, shard, experiments])).to.deep.equal([
      ['6.1=6.1.192-1,6.12=6.12.117-1', '1/4', 1],
    ]);
  });

  it('tells paths within the folder relative to it, as a job’s machine has its checkout elsewhere', () => {
    const kernels = [
      own('patched', `${folder}/build/linux`),
      own('./bzImage', `${folder}/bzImage`),
      own('far', '/srv/linux'),
      own('..x', `${folder}/..x/linux`),
    ];
    const { jobs, modules } = plan({ kernels: kernels.map((kernel) => ({ ...kernel, modules: `${folder}/mods` })) });
    expect(jobs.map((job) => job.kernels)).to.deep.equal([
      'patched=./build/linux',
      './bzImage',
      'far=/srv/linux',
      '..x=./..x/linux',
    ]);
    expect(modules).to.equal('./mods');
    expect(jobs[0]?.arguments.slice(-2)).to.deep.equal(['--modules', './mods']);
  });

  it('has a command line for each job that a shell takes as it is meant', () => {
    const { jobs } = plan({ filters: ['A1', "it's $HOME", '--kernels'], mode: 'bridge' });
    const [job] = jobs;
    expect(job && shellWords(jobCommand(job))).to.deep.equal([
      ...['macvlab', 'matrix', '--kernels', '6.1=6.1.192-1', '--shard', '1/1'],
      ...['--mode', 'bridge', '--', 'A1', "it's $HOME", '--kernels'],
    ]);
  });
});

/** The words that a shell parses from a line. */
function shellWords(line: string): string[] {
  const { stdout } = spawnSync('sh', ['-c', `printf '%s\\n' ${line}`], { encoding: 'utf8' });
  return stdout.trimEnd().split('\n');
}
