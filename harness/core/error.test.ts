import { expect } from 'chai';
import { errorCodes, exitCode, formatError, MacvlabError, messageOf } from './error.js';

describe('errors', () => {
  it('read as what failed, the evidence indented, and the next step', () => {
    const error = new MacvlabError('CAPTURE_START', 'tcpdump does not listen on node1/eth1', {
      evidence: 'tcpdump: eth1: No such device exists\n(status 1)\n',
      next: 'check that the interface exists',
    });
    expect(error.format()).to.equal(
      [
        'CAPTURE_START: tcpdump does not listen on node1/eth1',
        '    tcpdump: eth1: No such device exists',
        '    (status 1)',
        '  next: check that the interface exists',
      ].join('\n'),
    );
  });

  it('leave out evidence that is empty or blank', () => {
    for (const evidence of [undefined, '', '\n', '  \n']) {
      const error = new MacvlabError('USAGE', 'no such suite', { evidence, next: 'see --list' });
      expect(error.evidence, JSON.stringify(evidence)).to.equal(undefined);
      expect(error.format()).to.equal('USAGE: no such suite\n  next: see --list');
    }
  });

  it('are errors, with their cause', () => {
    const cause = new Error('EPIPE');
    const error = new MacvlabError('REMOTE_DEAD', 'node1 is gone', { next: 'build it anew', cause });
    expect(error).to.be.instanceOf(Error);
    expect(error.cause).to.equal(cause);
    expect(error.message).to.equal('node1 is gone');
    expect(error.name).to.equal('MacvlabError');
    expect(new MacvlabError('USAGE', 'x', { next: 'y' })).not.to.have.property('cause');
  });

  it('each lead to a documented exit code other than success and a failed test', () => {
    const documented = Object.values<number>(exitCode);
    for (const [code, { exit, means }] of Object.entries(errorCodes)) {
      expect(documented, code).to.include(exit);
      expect([exitCode.ok, exitCode.failed], code).not.to.include(exit);
      expect(means, code).to.match(/^[a-z].*[^.]$/);
      expect(new MacvlabError(code as keyof typeof errorCodes, '', { next: '' }).exit, code).to.equal(exit);
    }
  });

  it('of whatever kind can be shown', () => {
    const known = new MacvlabError('USAGE', 'no such suite', { next: 'see --list' });
    expect(formatError(known)).to.equal(known.format());
    expect(formatError(new RangeError('too far'))).to.match(/^RangeError: too far\n +at /);
    expect(formatError('only words')).to.equal('only words');
    expect(messageOf(new RangeError('too far'))).to.equal('too far');
    expect(messageOf(undefined)).to.equal('undefined');
  });
});
