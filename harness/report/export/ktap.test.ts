import { expect } from 'chai';
import fc from 'fast-check';
import { Parser, type Result } from 'tap-parser';
import type { RunResults } from '../../run/record.js';
import { aRecord, aRun, resultsOf } from '../run/results.test-support.js';
import { keys, runOfEachStatus, testsOf } from './exported-run.test-support.js';
import { kselftestExitOf, ktap } from './ktap.js';

/** The output as tap-parser reads it, without a record of YAML or nested tests. */
function parsed(text: string) {
  const results: Result[] = [];
  const extra: string[] = [];
  const parser = new Parser((final) => void (ended = final));
  let ended: Parser['results'];
  parser.on('result', (result: Result) => void results.push(result));
  parser.on('extra', (line: string) => void extra.push(line));
  parser.on('child', () => void extra.push('a nested test'));
  parser.end(text);
  return { results, extra, final: ended! };
}

function outputOf(results: RunResults): string {
  return `${ktap(results, testsOf(results))}\n`;
}

/** The words for which NIPA searches the whole output (contest/remote/lib/results.py, guess_indicators). */
const indicators = /\[(?:FAIL|fail|SKIP|skip|OKAY|PASS| OK |OK| ok |pass)\]| FAIL:|SKIP:|PASSED all /;

describe('KTAP', () => {
  it('a run with each status: the lines that readers expect', () => {
    expect(outputOf(runOfEachStatus()).split('\n')).to.deep.equal([
      'TAP version 13',
      '1..7',
      '#   a1-passes: bridge: bytes sent: 1680',
      '#   a1-passes: why: text',
      'ok 1 a1-passes # time=34ms',
      '#   A1.2 two endpoints in vepa mode cannot ping each other',
      '#   expected the ping to be lost, but it was answered',
      '#   node1/eth1 out  (FAIL) ARP',
      '#   not ok 9 SKIP - - SKIP nothing',
      '#   next: look at the frames',
      '#   evidence: /reports/20261121-081500-4f2a/evidence/002-a1.2',
      'not ok 2 a1-fails # time=34ms',
      '#   X4.1 two endpoints in vepa mode cannot ping each other',
      '#   expected the ping to be lost, but it was answered',
      '#   node1/eth1 out  (FAIL) ARP',
      '#   not ok 9 SKIP - - SKIP nothing',
      '#   next: look at the frames',
      'ok 3 x4-known # XFAIL source lists are patched out: our kernel has no source lists',
      '#   X5.1 two endpoints in vepa mode cannot ping each other',
      '#   passed, but “no reflection here” expects it to fail on <6.2',
      'not ok 4 x5-passes # XPASS passed, but “no reflection here” expects it to fail on <6.2',
      'ok 5 a1-skipped # SKIP no hairpin',
      '#   A1.6 two endpoints in vepa mode cannot ping each other',
      '#   3 frames lost',
      'not ok 6 a1-error # ERROR 3 frames lost',
      '#   only 6 of 7 planned tests have a record',
      '#   next: run it again; when it ends this way twice, the last record names the test before the one that ended it',
      'Bail out! only 6 of 7 planned tests have a record',
      '# Totals: pass:1 fail:1 xfail:1 xpass:1 skip:1 error:2',
      '',
    ]);
  });

  // tap-parser has no word for XFAIL, XPASS and ERROR, and leaves them in the name.
  it('tap-parser: the same results, and an end that is not ok', () => {
    const { results, final } = parsed(outputOf(runOfEachStatus()));
    expect(
      results.map(({ ok, name, skip }) => ({ ok, name: name.replace(/ # .*/, ''), skip: skip !== false })),
    ).to.deep.equal([
      { ok: true, name: keys.passed, skip: false },
      { ok: false, name: keys.failed, skip: false },
      { ok: true, name: keys.knownFailure, skip: false },
      { ok: false, name: keys.unexpectedPass, skip: false },
      { ok: true, name: keys.skipped, skip: true },
      { ok: false, name: keys.error, skip: false },
    ]);
    expect(final).to.include({ ok: false, bailout: 'only 6 of 7 planned tests have a record' });
  });

  it('a run of passed and skipped tests: tap-parser finds nothing wrong', () => {
    const { final } = parsed(outputOf(resultsOf(['passed', 'skipped', 'passed'])));
    expect(final).to.include({ ok: true, count: 3, pass: 3, skip: 1, bailout: false });
    expect(final.failures).to.deep.equal([]);
  });

  it('a lab that could not be built: no result, and Bail out', () => {
    const lab = { code: 'LAB_OPEN', message: 'no namespaces', details: 'unshare: EPERM', next: 'be root' };
    const text = outputOf({ folder: '/r', run: aRun({ planned: 5, failure: lab }), records: [] });
    expect(text.split('\n').slice(0, 3)).to.deep.equal(['TAP version 13', '1..5', '#   no namespaces']);
    expect(parsed(text).final).to.include({ ok: false, count: 0, bailout: 'no namespaces' });
  });

  it('a run that ended at its first failure as requested: a plan of the tests that ran', () => {
    const results = resultsOf(['passed', 'failed'], { planned: 9, endedAfter: 'A1.2' });
    expect(outputOf(results)).to.include('\n1..2\n').and.not.to.include('Bail out!');
  });

  it('any text in records: as many results, none nested, no word for which NIPA searches', () => {
    const piece = fc.constantFrom(
      ...['[FAIL]', ' FAIL:', '[SKIP]', 'SKIP:', ' # SKIP', '[ OK ]', '[PASS]', '#', '\n', '\r', 'ok 3 x', 'not ok 1'],
      ...['Bail out!', '1..9', '    ok 1', 'TAP version 13', 'pragma +strict', '---', '  ---\n  a: 1\n  ...', '\u0000'],
      ...['\u001b[2J', '\\', ' ', 'é', '日本', '# Totals:', 'TODO', 'time=9ms'],
    );
    const text = fc.array(piece, { maxLength: 5 }).map((parts) => parts.join(''));
    const verdict = fc.constantFrom('passed' as const, 'failed' as const, 'error' as const, 'skipped' as const);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(verdict, fc.array(text, { minLength: 7, maxLength: 7 })), { minLength: 1 }),
        (all) => {
          const records = all.map(
            ([verdict, [key = '', reason = '', message = '', details = '', next = '', name = '', title = '']], index) =>
              aRecord({
                ...{ number: index + 1, key, title, verdict, reason, measured: { [name]: name } },
                ...(verdict === 'failed' || verdict === 'error'
                  ? { failure: { code: 'X', message, details, next } }
                  : {}),
              }),
          );
          const output = outputOf({ folder: '/r', run: aRun({ planned: records.length }), records });
          const { results, extra, final } = parsed(output);
          expect(results.map(({ ok }) => ok)).to.deep.equal(
            all.map(([verdict]) => verdict === 'passed' || verdict === 'skipped'),
          );
          expect(extra.filter((line) => !line.startsWith('#') && line.trim() !== '')).to.deep.equal([]);
          expect(final.bailout).to.equal(false);
          expect(output).not.to.match(indicators);
          expect(output.match(/ # SKIP/g) ?? []).to.have.lengthOf(
            all.filter(([verdict]) => verdict === 'skipped').length,
          );
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('the exit code of a selftest', () => {
  const exitOf = (results: RunResults) => kselftestExitOf(results, testsOf(results));

  it('0 passed or skipped, 1 failed, 4 all skipped, 5 an error', () => {
    expect(exitOf(resultsOf(['passed', 'skipped']))).to.equal(0);
    expect(exitOf(resultsOf(['passed', 'failed', 'error']))).to.equal(1);
    expect(exitOf(resultsOf(['skipped', 'skipped']))).to.equal(4);
    expect(exitOf(resultsOf(['passed', 'error']))).to.equal(5);
  });

  it('5 without a lab or with too few records, 130 after an interruption', () => {
    expect(exitOf(resultsOf([], { planned: 2, failure: { code: 'LAB_OPEN', message: 'no' } }))).to.equal(5);
    expect(exitOf(resultsOf(['passed'], { planned: 2 }))).to.equal(5);
    expect(exitOf(resultsOf(['skipped'], { planned: 2 }))).to.equal(5);
    expect(exitOf(resultsOf(['failed'], { planned: 2, interrupted: true }))).to.equal(130);
  });

  it('a known failure: 0; a known failure that passes: 1', () => {
    const of = (key: string, verdict: 'passed' | 'failed') =>
      exitOf({ folder: '/r', run: aRun(), records: [aRecord({ key, verdict })] });
    expect(of(keys.knownFailure, 'failed')).to.equal(0);
    expect(of(keys.unexpectedPass, 'passed')).to.equal(1);
    expect(of(keys.failed, 'failed')).to.equal(1);
  });
});
