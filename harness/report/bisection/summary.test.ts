import { expect } from 'chai';
import type { BisectionAnswer, BisectionRecord, Finding, TriedKernel } from '../../matrix/bisect/bisection-record.js';
import { bisectionOpening, bisectionSummary, criteriaLines, stepLine, triedLine } from './summary.js';

const folder = '/reports/20261121-081500-4f2a';

function aKernel(version: string, side?: Finding['side'], step = 1): TriedKernel {
  const told = side && { finding: { side, words: side === 'cannot tell' ? 'it panicked' : `copies: ${side}` }, step };
  return {
    ...{ name: version, spec: `${version}-1`, version, release: `${version}-cloud-amd64` },
    ...{ origin: `Debian trixie, ${version}-1`, slot: version },
    ...(told && { ...told, folder: `kernels/${version}/run` }),
  };
}

const kernels = [
  aKernel('6.12.94', 'good', 0),
  aKernel('6.12.96', 'good', 2),
  aKernel('6.12.100', 'cannot tell', 3),
  aKernel('6.12.105', 'bad', 1),
  aKernel('6.12.107', 'bad', 0),
];

function aBisection(answer: Partial<BisectionAnswer> = {}, given: Partial<BisectionRecord> = {}): BisectionRecord {
  const experiment = { key: 'x3-multicast', id: 'X3.1', title: 'bridge: a multicast', suite: 'X', file: 'suites/x.ts' };
  return {
    ...{ schema: 2, id: '20261121-081500-4f2a', macvlab: '0.1.0', arguments: ['bisect'], machine: 'bench1' },
    ...{ startedAt: '2026-11-21T08:15:00.123Z', interrupted: false, filter: 'X3.1', experiments: [experiment] },
    ...{ good: 'oldest', seriesOnly: false, kernels },
    criteria: [{ experiment: 'x3-multicast', value: 'copies', good: 1, bad: 2 }],
    answer: { good: '6.12.96-1', bad: '6.12.105-1', cannotTell: [], untried: [], otherwise: [], ...answer },
    ...given,
  };
}

describe('a bisection in words', () => {
  const summary = (...given: Parameters<typeof aBisection>) => bisectionSummary(folder, aBisection(...given));

  it('names the first bad kernel and the last good one, with packages and evidence', () => {
    expect(summary()).to.deep.equal([
      '6.12.105 is the first bad kernel, 6.12.96 the last good one',
      '  good: 6.12.96-cloud-amd64 (Debian trixie, 6.12.96-1)',
      '    copies: good',
      `    evidence: ${folder}/kernels/6.12.96/run`,
      '  bad: 6.12.105-cloud-amd64 (Debian trixie, 6.12.105-1)',
      '    copies: bad',
      `    evidence: ${folder}/kernels/6.12.105/run`,
      `bisection: good=6.12.96-1 bad=6.12.105-1 exact=yes steps=3 record=${folder}/bisection.json`,
    ]);
  });

  it('names the first good one where it was fixed', () => {
    const fixed = { good: '6.12.105-1', bad: '6.12.96-1' };
    const [headline] = summary(fixed, { good: 'newest' });
    expect(headline).to.equal('6.12.105 is the first good kernel, 6.12.96 the last bad one');
  });

  it('names an interval where some could not tell', () => {
    const lines = summary({ cannotTell: ['6.12.100-1'] });
    expect(lines[0]).to.equal('the change is between 6.12.96 (good) and 6.12.105 (bad); 6.12.100 could not tell');
    expect(lines.join('\n')).to.include('cannot tell: 6.12.100-cloud-amd64').and.to.include('it panicked');
    expect(lines.at(-1)).to.include('exact=no');
  });

  it('says what is known when it was interrupted, and how to go on', () => {
    const lines = summary({ untried: ['6.12.100-1'] }, { interrupted: true });
    expect(lines[0]).to.match(
      /^interrupted: so far, .* between 6\.12\.96 \(good\) and 6\.12\.105 \(bad\), with 1 not tried$/,
    );
    expect(lines).to.include('to go on: macvlab bisect --good 6.12.96-1 --bad 6.12.105-1 X3.1');
    expect(lines.at(-1)).to.include('exact=no');
    const { answer: _, ...early } = aBisection({}, { interrupted: true, criteria: [] });
    expect(bisectionSummary(folder, early)).to.deep.equal([
      'interrupted before good and bad were both known: nothing can be said yet',
      `bisection: good=- bad=- exact=no steps=3 record=${folder}/bisection.json`,
    ]);
  });

  it('goes on between series, where only the newest of each were tried', () => {
    const lines = summary({}, { seriesOnly: true, filter: 'bridge: a multicast' });
    const command = "macvlab bisect --good 6.12.96-1 --bad 6.12.105-1 'bridge: a multicast'";
    expect(lines).to.include(`all kernels between 6.12.96 and 6.12.105: ${command}`);
  });

  it('says when there is more than one change', () => {
    expect(summary({ otherwise: ['6.12.107-1'] }).join('\n')).to.include(
      'there is more than one change: 6.12.107 told',
    );
  });

  it('says why there is nothing to be found, and what to do', () => {
    const failure = { code: 'CONTROL_FAILED', message: 'they do the same', details: 'a: 4 passed', next: 'look' };
    const lines = summary({}, { failure, kernels: [aKernel('6.12.94', 'good', 0)] });
    expect(lines).to.deep.equal([
      'CONTROL_FAILED: they do the same',
      '    a: 4 passed',
      `    evidence of 6.12.94: ${folder}/kernels/6.12.94/run`,
      '  next: look',
      `bisection: good=- bad=- exact=no steps=0 record=${folder}/bisection.json`,
    ]);
  });

  it('tells how it goes', () => {
    expect(bisectionOpening(aBisection())).to.equal(
      'X3.1 bridge: a multicast: 6.12.94 (good) to 6.12.107 (bad), 3 kernels between',
    );
    expect(criteriaLines(aBisection())).to.deep.equal([
      '  X3.1 bridge: a multicast',
      '    copies: 1 on the good kernel, 2 on the bad one',
    ]);
    expect(stepLine(kernels.slice(1, 3), 2, 4)).to.equal('step 2 of about 4: 6.12.96, 6.12.100 …');
    expect(triedLine(aKernel('6.12.96', 'good', 2), 'copies: 1')).to.equal('  6.12.96: good: copies: 1');
    expect(triedLine(aKernel('6.12.94', 'good', 0), '4\u001b[31m passed')).to.equal('  6.12.94: 4 passed');
  });
});
