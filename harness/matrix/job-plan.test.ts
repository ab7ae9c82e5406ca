import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { parse } from 'yaml';
import { MacvlabError } from '../core/error.js';
import { githubMatrix, gitlabPipeline, jobCommand, planJobs } from './job-plan.js';
import { aKernel, aMatrix } from './matrix.test-support.js';
import type { MatrixKernel, MatrixRecord } from './record.js';

const [old, middle] = ['6.1.192', '6.12.117'].map((version) => aKernel(version, { spec: `${version}-1` })) as [
  MatrixKernel,
  MatrixKernel,
];
const folder = '/home/me/checkout';

/** A kernel of one's own, as choose-kernels.ts makes it. */
const own = (name: string, spec: string): MatrixKernel =>
  aKernel('6.9.0', { name, spec, slot: 'own', release: '6.9.0-mine' });

const plan = (given: Partial<MatrixRecord> = {}, shards?: number) =>
  planJobs(aMatrix({ kernels: [old, middle], ...given }), { folder, shards });

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

describe('a job plan for GitHub', () => {
  it('is what strategy.matrix takes', () => {
    expect(githubMatrix(plan())).to.deep.equal({
      include: [
        { name: '6.1', slot: '6.1', kernels: '6.1=6.1.192-1', shard: '1/1' },
        { name: '6.12', slot: '6.12', kernels: '6.12=6.12.117-1', shard: '1/1' },
      ],
    });
  });

  it('is refused when it has more jobs than GitHub takes', () => {
    expect(githubMatrix(many(256)).include).to.have.length(256);
    expect(() => githubMatrix(many(257)))
      .to.throw(MacvlabError, 'GitHub takes at most 256 jobs in a matrix, and these are 257')
      .with.property('next', 'take parts of all kernels, such as --shards 256');
  });
});

describe('a job plan for GitLab', () => {
  it('is a child pipeline whose matrix has the kernels', () => {
    const { include, variables, kernel } = parse(JSON.stringify(gitlabPipeline(plan()))) as ReturnType<
      typeof gitlabPipeline
    >;
    expect(include).to.deep.equal([{ local: '.gitlab/macvlab.yml' }]);
    expect(variables).to.deep.equal({ MACVLAB_JOBS: '2' });
    expect(kernel.extends).to.equal('.macvlab-kernel');
    expect(kernel.parallel.matrix).to.deep.equal([
      { MACVLAB_KERNELS: '6.1=6.1.192-1' },
      { MACVLAB_KERNELS: '6.12=6.12.117-1' },
    ]);
    expect(kernel.variables).to.deep.equal({ MACVLAB_SHARD: '1/1' });
  });

  it('has only the parts in the matrix where all have the same kernels, which would be long names', () => {
    const { kernel } = gitlabPipeline(plan({}, 2));
    expect(kernel.parallel.matrix).to.deep.equal([{ MACVLAB_SHARD: '1/2' }, { MACVLAB_SHARD: '2/2' }]);
    expect(kernel.variables).to.deep.equal({ MACVLAB_KERNELS: '6.1=6.1.192-1,6.12=6.12.117-1' });
    expect(gitlabPipeline(plan({}, 1)).kernel).to.deep.include({
      parallel: { matrix: [{ MACVLAB_KERNELS: '6.1=6.1.192-1,6.12=6.12.117-1' }] },
      variables: { MACVLAB_SHARD: '1/1' },
    });
  });

  it('names variables as GitLab allows, and keeps dollars from being taken for variables', () => {
    const { variables, kernel } = gitlabPipeline(plan({ kernels: [own('a', '/srv/$HOME/linux')] }));
    const names = [variables, kernel.variables, ...kernel.parallel.matrix].flatMap((variables) =>
      Object.keys(variables),
    );
    for (const name of names) expect(name).to.match(/^\w+$/);
    expect(kernel.parallel.matrix).to.deep.equal([{ MACVLAB_KERNELS: 'a=/srv/$$HOME/linux' }]);
  });

  it('is refused when it has more jobs, or a longer name, than GitLab takes', () => {
    expect(gitlabPipeline(many(200)).kernel.parallel.matrix).to.have.length(200);
    expect(() => gitlabPipeline(many(201))).to.throw(MacvlabError, 'GitLab takes at most 200 jobs');
    // "kernel: [a=/…]" of exactly 255 characters, and of one more
    const path = (length: number) => `/${'x'.repeat(length - 'kernel: [a=/]'.length)}`;
    expect(gitlabPipeline(plan({ kernels: [own('a', path(255))] })).kernel.parallel.matrix).to.have.length(1);
    expect(() => gitlabPipeline(plan({ kernels: [own('a', path(256))] }))).to.throw(MacvlabError, '255 characters');
  });

  for (const [what, status, leaves, expected] of [
    ['has a verdict', 0, true, 0],
    ['has a failed test, which the table will tell', 1, true, 1],
    ['has errors, which the table will tell', 3, true, 3],
    ['has left no records', 3, false, 2],
  ] as const) {
    it(`has a script that ends with ${expected} where a kernel ${what}`, () => {
      const { kernel } = gitlabPipeline(plan({ filters: ["it's"] }));
      const npx = `npx() { printf '%s\\n' "$@" >&2; return ${status}; }; test() { return ${leaves ? 0 : 1}; };`;
      const run = spawnSync('bash', ['-eo', 'pipefail', '-c', `${npx}\n${kernel.script.join('\n')}`], {
        env: { ...process.env, MACVLAB_KERNELS: '6.1=6.1.192-1,a=/x y', MACVLAB_SHARD: '1/2' },
        encoding: 'utf8',
      });
      expect(run.status).to.equal(expected);
      expect(run.stderr.trimEnd().split('\n')).to.deep.equal([
        ...['macvlab', 'matrix', '--kernels', '6.1=6.1.192-1,a=/x y', '--shard', '1/2', '--', "it's"],
      ]);
    });
  }
});

/** A plan of so many kernels. */
function many(count: number) {
  return plan({ kernels: Array.from({ length: count }, (_, position) => aKernel(`6.${position}.0`)) });
}

/** The words that a shell makes of a line. */
function shellWords(line: string): string[] {
  const { stdout } = spawnSync('sh', ['-c', `printf '%s\\n' ${line}`], { encoding: 'utf8' });
  return stdout.trimEnd().split('\n');
}
