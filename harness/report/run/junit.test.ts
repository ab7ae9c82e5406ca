import { resolve } from 'node:path';
import { expect } from 'chai';
import { convert } from 'xmlbuilder2';
import { validateXML } from 'xmllint-wasm';
import type { RunRecord, RunResults, TestRecord } from '../../run/record.js';
import { junitSchema } from './junit-schema.test-support.js';
import { junitXml, type JunitOptions } from './junit.js';
import { aRecord, aRun, resultsOf } from './results.test-support.js';

/** The XML, after a check that it is valid. */
async function validXml(results: RunResults, options?: JunitOptions): Promise<string> {
  const xml = junitXml(results, options);
  const { valid, rawOutput } = await validateXML({
    xml: { fileName: 'junit.xml', contents: xml },
    schema: { fileName: 'junit.xsd', contents: junitSchema },
  });
  expect(valid, `${rawOutput}\n${xml}`).to.equal(true);
  return xml;
}

function results(records: Partial<TestRecord>[], run: Partial<RunRecord> = {}): RunResults {
  return {
    folder: resolve('reports/r1'),
    run: aRun({ planned: records.length, ...run }),
    records: records.map((record, index) => aRecord({ number: index + 1, ...record })),
  };
}

describe('the JUnit view', function () {
  this.timeout(20_000);

  it('an experiment that ran twice: the reason is in its output', async () => {
    const xml = await validXml(results([{ repeated: 'the clock was set' }, {}]));
    expect(xml.match(/\[\[PROPERTY\|repeated=the clock was set\]\]/g), xml).to.have.lengthOf(1);
  });

  it('is refused by its schema when it is not as it should be', async () => {
    const good = junitXml(results([{ verdict: 'failed', reason: 'r' }]));
    const bad = [
      good.replace(/<properties>[^]*<\/properties>/, ''),
      good.replace('<testcase ', '<testcase status="run" '),
      good.replace(/(<failure[^]*<\/failure>)\s*(<system-out>[^]*<\/system-out>)/, '$2$1'),
      good.replace(/ time="0.034"/, ' time="34 ms"'),
      good.replace('</testsuite>', '<system-out/></testsuite>'),
      good.replace(/timestamp="[^"]*"/, 'timestamp="2026-11-21"'),
      good.replace(/<testsuite [^]*<\/testsuite>/, ''),
    ];
    for (const contents of bad) {
      expect(contents).not.to.equal(good);
      const xml = { fileName: 'junit.xml', contents };
      expect(await validateXML({ xml, schema: junitSchema }), contents).to.have.property('valid', false);
    }
  });

  it('has one suite per title with counts, time and where it ran', async () => {
    const xml = await validXml(
      results([
        { suite: 'A1', verdict: 'passed' },
        { suite: 'A2', verdict: 'failed', reason: 'no reply' },
        { suite: 'A1', verdict: 'skipped', reason: 'no hairpin', durationMs: 0 },
        { suite: 'A1', verdict: 'error', failure: { code: 'CAPTURE_DROPPED', message: '3 frames lost' } },
      ]),
    );
    expect(xml).to.include(
      '<testsuites name="macvlab 20261121-081500-4f2a" tests="4" failures="1" errors="1" time="1.234">',
    );
    expect(xml).to.include(
      '<testsuite name="A1" tests="3" failures="0" errors="1" skipped="1" time="0.069" ' +
        'timestamp="2026-11-21T08:15:00" hostname="bench1">',
    );
    expect(xml).to.include('<testsuite name="A2" tests="1" failures="1" errors="0" skipped="0" time="0.034"');
    expect(xml).to.include('<property name="tool.tcpdump" value="4.99.3"/>');
    expect(xml.indexOf('A1')).to.be.lessThan(xml.indexOf('A2'));
  });

  it('names a test by its id and its suite by its file', async () => {
    const xml = await validXml(
      results([{ id: 'A1.3', title: 'a "quoted" <title>\n& more', file: './suites/deep/a1.ts' }]),
    );
    expect(xml).to.include(
      '<testcase classname="suites.deep.a1" name="A1.3 a &quot;quoted&quot; &lt;title&gt; &amp; more" time="0.034">',
    );
  });

  it('tells why a test failed, erred or was skipped', async () => {
    const failure = { code: 'ASSERTION', message: 'no reply', details: 'expected <1>\nseen    0', next: 'look' };
    const xml = await validXml(
      results([
        { verdict: 'failed', reason: 'short', failure },
        { verdict: 'error', reason: 'the capture ended' },
        { verdict: 'skipped', reason: 'no hairpin' },
      ]),
    );
    expect(xml).to.include(
      '<failure type="ASSERTION" message="no reply">no reply\n\nexpected &lt;1&gt;\nseen    0\n\nnext: look</failure>',
    );
    expect(xml).to.include('<error type="ERROR" message="the capture ended">the capture ended</error>');
    expect(xml).to.include('<skipped message="no hairpin">no hairpin</skipped>');
  });

  it('lists id, modes and evidence in system-out, paths from the checkout', async () => {
    const evidence = [
      { kind: 'commands' as const, file: 'evidence/001-a1.3/commands.txt', title: 'commands' },
      { kind: 'pcap' as const, file: 'evidence/001-a1.3/node1.pcap', title: 'frames on node1' },
    ];
    const run = results([{ modes: ['vepa', 'bridge'], evidence, verdict: 'failed' }]);
    const output = (xml: string): string => /<system-out>([^]*)<\/system-out>/.exec(xml)?.[1] ?? '';
    expect(output(await validXml(run)).split('\n')).to.deep.equal([
      '[[PROPERTY|id=A1.3]]',
      '[[PROPERTY|key=a1-vepa-to-sibling]]',
      '[[PROPERTY|modes=vepa,bridge]]',
      '[[PROPERTY|lab=sandbox]]',
      '[[PROPERTY|kernel=6.1.0]]',
      '[[PROPERTY|assertions=3]]',
      '[[PROPERTY|frames=12]]',
      '[[PROPERTY|observed.default mode=vepa]]',
      '[[ATTACHMENT|reports/r1/evidence/001-a1.3/node1.pcap]]',
      '[[ATTACHMENT|reports/r1/evidence/001-a1.3/commands.txt]]',
    ]);
    expect(output(await validXml(run, { base: resolve('elsewhere') }))).to.include(
      `[[ATTACHMENT|${resolve('reports/r1/evidence/001-a1.3/node1.pcap')}]]`,
    );
  });

  it('GitLab links the first attachment: it is the frames as text, in any order of writing', async () => {
    const evidence = (['frames-json', 'counters', 'frames'] as const).map((kind) => ({
      kind,
      file: kind,
      title: kind,
    }));
    const xml = await validXml(results([{ verdict: 'failed', evidence }]));
    const attached = [...xml.matchAll(/\[\[ATTACHMENT\|[^\]]*\/([\w-]+)\]\]/g)].map(([, file]) => file);
    expect(attached).to.deep.equal(['frames', 'counters', 'frames-json']);
  });

  it('a test that has passed: its evidence is not attached', async () => {
    const evidence = [{ kind: 'pcap' as const, file: 'evidence/001-a1.3/node1.pcap', title: 'frames on node1' }];
    for (const [verdict, attached] of [
      ['passed', false],
      ['error', true],
    ] as const)
      expect((await validXml(results([{ evidence, verdict }]))).includes('node1.pcap'), verdict).to.equal(attached);
  });

  it('stays valid whatever characters are in a record', async () => {
    const nasty = 'a\u0000\u0008\u001b[31mred\ud800 ]]> <![CDATA[ &amp; &nbsp; &#0; 😀 \ufffe\u2028\r\nend';
    const failure = { code: 'ASSERTION', message: nasty, details: nasty, next: nasty };
    const record = { title: nasty, suite: nasty, file: nasty, reason: nasty, verdict: 'failed' as const, failure };
    const evidence = [{ kind: 'frames' as const, file: nasty, title: nasty }];
    const run = { machine: nasty, kernel: nasty, tools: { [nasty]: nasty } };
    const xml = await validXml(results([{ ...record, observed: { [nasty]: nasty }, modes: [nasty], evidence }], run));
    expect(xml).to.include('a␀␈red\ufffd ]]&gt; &lt;![CDATA[ &amp;amp; &amp;nbsp; &amp;#0; 😀 \ufffd');
    expect(() => convert(xml, { format: 'object' })).not.to.throw();
  });

  it('has an error when the lab could not be built', async () => {
    const failure = { code: 'LAB_OPEN', message: 'no namespaces', details: 'unshare: EPERM', next: 'be root' };
    const xml = await validXml(resultsOf([], { planned: 85, failure }));
    expect(xml).to.include('tests="1" failures="0" errors="1"');
    expect(xml).to.include('<testsuite name="macvlab" tests="1"');
    expect(xml).to.include('<error type="LAB_OPEN" message="no namespaces">');
  });

  it('has an error when planned tests have no record', async () => {
    const xml = await validXml(resultsOf(['passed'], { planned: 2 }));
    expect(xml).to.include('<error type="NO_EVIDENCE" message="only 1 of 2 planned tests have a record">');
    expect(await validXml(resultsOf([], { planned: 2 }))).to.include('message="no test has a record"');
  });

  it('says that it was interrupted', async () => {
    const xml = await validXml(resultsOf(['passed'], { planned: 2, interrupted: true }));
    expect(xml).to.include('<property name="interrupted" value="true"/>');
    expect(xml).to.include('<error type="INTERRUPTED"');
    expect(await validXml(resultsOf(['passed']))).not.to.include('interrupted');
  });
});
