import { expect } from 'chai';
import { macvlab } from './command-line.test-support.js';
import { withNewNames } from './renamed.js';

describe('names that have changed', () => {
  it('an old variable: its value has the new name, unless that is set as well', () => {
    const old: NodeJS.ProcessEnv = { MACVLAB_PATIENCE: '4' };
    withNewNames([], old);
    expect(old).to.deep.equal({ MACVLAB_TIMEOUT_FACTOR: '4' });
    const both: NodeJS.ProcessEnv = { MACVLAB_PATIENCE: '4', MACVLAB_TIMEOUT_FACTOR: '2' };
    withNewNames([], both);
    expect(both).to.deep.equal({ MACVLAB_TIMEOUT_FACTOR: '2' });
  });

  it('an old option: it becomes the new one, but not after --', () => {
    expect(withNewNames(['run', '--allow-cut', '--', '--allow-cut'], {})).to.deep.equal([
      'run',
      '--allow-disconnect',
      '--',
      '--allow-cut',
    ]);
  });

  it('a command line with an old option: it works, and standard error has a notice', async () => {
    const { status, stderr } = await macvlab(['run', '--allow-cut', '--help']);
    expect(status).to.equal(0);
    expect(stderr).to.equal('notice: --allow-cut is now --allow-disconnect; the old name works in this version only\n');
  });
});
