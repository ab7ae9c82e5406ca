import { expect } from 'chai';
import fc from 'fast-check';
import { parse } from 'yaml';
import { aRecord, aRun, resultsOf } from '../run/results.test-support.js';
import { keys, runOfEachStatus, testsOf } from './exported-run.test-support.js';
import { kcidbSchema, nipaSchema, tmtSchema } from './formats.test-support.js';
import { kcidbDocument } from './kcidb.js';
import { lavaSignals } from './lava.js';
import { nipaResults } from './nipa.js';
import { tmtResults, tmtYaml } from './tmt.js';

const results = runOfEachStatus();
const tests = testsOf(results);
const nipaOptions = { executor: 'macvlab', branch: 'net-next-1', urlBase: 'https://ci.example.org/r1/' };
const kcidbOptions = { origin: 'mylab', urlBase: 'https://ci.example.org/r1' };

describe('the result file for NIPA', () => {
  const written = nipaResults(results, tests, nipaOptions);

  it('agrees with the schema', () => void nipaSchema.parse(JSON.parse(JSON.stringify(written))));

  it('a test for each article with the worst result, and a subtest for each experiment', () => {
    expect(written.results.map(({ test, result }) => `${test} ${result}`)).to.deep.equal([
      'A1 fail',
      'X4 pass',
      'X5 fail',
      'macvlab-run warn',
    ]);
    expect(written.results[0]).to.deep.include({
      time: 0.138,
      results: [
        { test: keys.passed, result: 'pass', time: 0.034 },
        { test: keys.failed, result: 'fail', time: 0.034 },
        { test: keys.skipped, result: 'skip', time: 0.034 },
        { test: keys.error, result: 'warn', time: 0.034 },
      ],
    });
  });

  it('a failed test: a link to its frames', () => {
    expect(written.results.map(({ link }) => link).slice(0, 2)).to.deep.equal([
      'https://ci.example.org/r1/evidence/002-a1.2/a1.2-frames.txt',
      'https://ci.example.org/r1/',
    ]);
  });
});

describe('the document for KCIDB', () => {
  const written = kcidbDocument(results, tests, kcidbOptions);

  it('agrees with the schema, with and without a commit and addresses', () => {
    const commit = { git_commit_hash: 'a'.repeat(40), patchset_hash: '', git_repository_url: 'https://example.org/l' };
    for (const options of [kcidbOptions, { origin: 'm_1' }, { ...kcidbOptions, commit }]) {
      kcidbSchema.parse(JSON.parse(JSON.stringify(kcidbDocument(results, tests, options))));
    }
  });

  it('a path and a status for each test, and for each measured number', () => {
    expect(written.tests.map(({ path, status }) => `${path} ${status}`)).to.deep.equal([
      'macvlab.a1-passes PASS',
      'macvlab.a1-passes.bridge-bytes-sent DONE',
      'macvlab.a1-fails FAIL',
      'macvlab.x4-known FAIL',
      'macvlab.x5-passes PASS',
      'macvlab.a1-skipped SKIP',
      'macvlab.a1-error ERROR',
      'macvlab MISS',
    ]);
    expect(written.tests[1]?.number).to.deep.equal({ value: 1680 });
  });

  it('known differences: issues, with incidents that say whether they occurred', () => {
    expect(written.issues.map(({ report_subject }) => report_subject)).to.deep.equal([
      'source lists are patched out',
      'no reflection here',
    ]);
    expect(written.incidents.map(({ issue_id, present }) => [issue_id, present])).to.deep.equal([
      ['mylab:macvlab-source-lists-are-patched-out', true],
      ['mylab:macvlab-no-reflection-here', false],
    ]);
  });

  it('each reference: to a part of the document; no identifier occurs twice', () => {
    const idsOf = (parts: readonly { id: string }[]) => parts.map(({ id }) => id);
    const { checkouts, builds, tests: all, issues, incidents } = written;
    expect(idsOf(checkouts)).to.include.members(builds.map(({ checkout_id }) => checkout_id));
    expect(idsOf(builds)).to.include.members(all.map(({ build_id }) => build_id));
    expect(idsOf(all)).to.include.members(incidents.map(({ test_id }) => test_id));
    expect(idsOf(issues)).to.include.members(incidents.map(({ issue_id }) => issue_id));
    for (const parts of [checkouts, builds, all, issues, incidents])
      expect(new Set(idsOf(parts)).size).to.equal(parts.length);
  });

  it('a run on two kernels: a build for each', () => {
    const two = resultsOf(['passed', 'passed']);
    two.records[1]!.kernel = '6.12.1';
    const { builds, tests: all } = kcidbDocument(two, testsOf(two), kcidbOptions);
    expect(builds.map(({ comment }) => comment)).to.deep.equal(['kernel 6.1.0', 'kernel 6.12.1']);
    expect(all.map(({ build_id }) => build_id)).to.deep.equal(builds.map(({ id }) => id));
  });

  it('a long failure: an excerpt that the schema accepts', () => {
    const failure = { code: 'X', message: 'm', details: 'é'.repeat(40_000) };
    const long = { ...results, records: [aRecord({ verdict: 'failed', failure })] };
    const [test] = kcidbDocument(long, testsOf(long), kcidbOptions).tests;
    expect(test?.log_excerpt).to.have.lengthOf(16_384);
  });
});

describe('results.yaml for tmt', () => {
  it('agrees with the schema, as YAML', () => void tmtSchema.parse(parse(tmtYaml(results, tests, '/reports'))));

  it('a result for each test, the original one for a known failure, and logs relative to the file', () => {
    const written = tmtResults(results, tests, '/reports');
    expect(written.map((each) => [each.name, each.result, each['original-result']].join(' ').trim())).to.deep.equal([
      '/a1-passes pass',
      '/a1-fails fail',
      '/x4-known pass fail',
      '/x5-passes fail',
      '/a1-skipped skip',
      '/a1-error error',
      '/macvlab-run error',
    ]);
    expect(written[1]).to.deep.include({
      log: [
        '20261121-081500-4f2a/evidence/002-a1.2/a1.2-frames.txt',
        '20261121-081500-4f2a/evidence/002-a1.2/a1.2-node1 eth1.pcap',
      ],
      duration: '00:00:01',
      'start-time': '2026-11-21T08:15:00.500+00:00',
    });
    expect(written[0]?.note).to.include('measured: bridge: bytes sent: 1680');
    expect(written[2]?.note).to.include('source: our patch 12');
  });

  it('evidence outside the folder of results.yaml: left out', () => {
    expect(tmtResults(results, tests, '/elsewhere')[1]).not.to.have.property('log');
  });
});

describe('the signals for LAVA', () => {
  it('a test case for each test, and for each measured number', () => {
    expect(lavaSignals(tests).split('\n')).to.deep.equal([
      '<LAVA_SIGNAL_TESTSET START macvlab>',
      '<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=a1-passes RESULT=pass>',
      '<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=a1-passes-bridge-bytes-sent RESULT=pass MEASUREMENT=1680>',
      '<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=a1-fails RESULT=fail>',
      '<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=x4-known RESULT=pass>',
      '<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=x5-passes RESULT=fail>',
      '<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=a1-skipped RESULT=skip>',
      '<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=a1-error RESULT=unknown>',
      '<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=macvlab-run RESULT=unknown>',
      '<LAVA_SIGNAL_TESTSET STOP>',
    ]);
  });
});

describe('the exports of another user’s run', () => {
  it('any text in its records: each document agrees with its schema', () => {
    const piece = fc.constantFrom(
      ...[
        '\u0000',
        '\u001b[2J',
        '\ud800',
        '\n',
        '>',
        '<',
        ' ',
        '..',
        '/',
        '\\',
        '#',
        ': ',
        '- ',
        '%',
        '?',
        'é',
        '日本',
      ],
      ...['a', 'RESULT=pass', '~', 'null', '__proto__', '1e99'],
    );
    const text = fc.array(piece, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(''));
    const verdict = fc.constantFrom('passed' as const, 'failed' as const, 'error' as const, 'skipped' as const);
    fc.assert(
      fc.property(verdict, fc.array(text, { minLength: 9, maxLength: 9 }), (verdict, all) => {
        const [
          key = '',
          id = '',
          title = '',
          reason = '',
          name = '',
          file = '',
          kernel = '',
          startedAt = '',
          lab = '',
        ] = all;
        const failure = { code: reason, message: title, details: name, next: reason };
        const record = aRecord({
          ...{
            key,
            id,
            title,
            verdict,
            reason,
            kernel,
            startedAt,
            lab,
            failure,
            measured: { [name]: 1, [title]: name },
          },
          evidence: [{ kind: 'frames', file, title }],
        });
        const hostile = { folder: '/r', run: aRun({ machine: name, kernel }), records: [record] };
        const exported = testsOf(hostile);
        nipaSchema.parse(nipaResults(hostile, exported, nipaOptions));
        kcidbSchema.parse(JSON.parse(JSON.stringify(kcidbDocument(hostile, exported, kcidbOptions))));
        tmtSchema.parse(parse(tmtYaml(hostile, exported, '/r')));
        for (const line of lavaSignals(exported).split('\n').slice(1, -1))
          expect(line).to.match(/^<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=[\w-]+ RESULT=\w+( MEASUREMENT=\d+)?>$/);
      }),
      { numRuns: 200 },
    );
  });
});
