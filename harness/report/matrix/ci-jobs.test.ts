import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { parse } from 'yaml';
import { MacvlabError } from '../../core/error.js';
import { many, own, plan } from '../../matrix/plan/job-plan.test-support.js';
import { githubMatrix, gitlabPipeline } from './ci-jobs.js';

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
