import { resolve } from 'node:path';
import { expect } from 'chai';
import { validateXML } from 'xmllint-wasm';
import type { KernelTable } from '../../matrix/compare/kernel-table.js';
import { junitSchema } from '../run/junit-schema.test-support.js';
import { matrixJunit } from './junit.js';
import { aNastyTable, anInterruptedTable, aRichTable, aTable, aTableRow, aWideTable } from './table.test-support.js';

/** The XML, after a check that it is valid and the same twice. */
async function validXml(table: KernelTable): Promise<string> {
  const options = { folder: resolve('reports/m1') };
  const xml = matrixJunit(table, options);
  expect(matrixJunit(table, options)).to.equal(xml);
  const { valid, rawOutput } = await validateXML({
    xml: { fileName: 'junit.xml', contents: xml },
    schema: { fileName: 'junit.xsd', contents: junitSchema },
  });
  expect(valid, `${rawOutput}\n${xml}`).to.equal(true);
  return xml;
}

const suitesOf = (xml: string): string[] => xml.match(/<testsuite [^>]*>/g) ?? [];

describe('the JUnit view of a kernel table', function () {
  this.timeout(20_000);

  it('has one suite per kernel, with counts and where it ran', async () => {
    const xml = await validXml(aRichTable());
    expect(xml).to.include(
      '<testsuites name="macvlab kernels 2026-11-21" tests="24" failures="3" errors="1" time="0.826">',
    );
    expect(suitesOf(xml)).to.have.lengthOf(4);
    expect(xml).to.include(
      '<testsuite name="Linux 5.10" tests="6" failures="0" errors="1" skipped="2" time="0.206" ' +
        'timestamp="2026-11-21T08:15:00" hostname="bench1">',
    );
    expect(xml).to.include('<property name="kernel" value="5.10.9+deb13-cloud-amd64"/>');
    expect(suitesOf(await validXml(aWideTable()))).to.have.lengthOf(12);
  });

  it('tells the same experiment on two kernels apart by its class', async () => {
    const xml = await validXml(aRichTable());
    expect(xml).to.include(
      '<testcase classname="5_10.suites.a1-modes" name="A1.1 bridge: ns1 reaches its sibling" time="0.034">',
    );
    expect(xml).to.include(
      '<testcase classname="7_2.suites.a1-modes" name="A1.1 bridge: ns1 reaches its sibling" time="0.034">',
    );
  });

  it('fails what failed and what alarms, and skips what is expected, with the reason', async () => {
    const xml = await validXml(aRichTable());
    expect(xml).to.include(
      '<failure type="ASSERTION" message="the ping was answered">the ping was answered\n\nexpected: no reply',
    );
    expect(xml).to.include(
      '<failure type="ALARM" message="passed, but it was expected to fail (queue of 7.2), and has passed">',
    );
    expect(xml).to.include(
      '<skipped message="expected to differ: lists are emptied (drivers/net/macvlan.c, macvlan_changelink)">',
    );
    expect(xml).to.include('<skipped message="the kernel does not know bcqueuelen">');
    expect(xml).to.include('<error type="ERROR" message="the capture ended">');
    expect(xml).to.include('[[ATTACHMENT|reports/m1/kernels/6.1/r1/evidence/002-a1.2]]');
    expect(matrixJunit(aRichTable())).to.include('[[ATTACHMENT|kernels/6.1/r1/evidence/002-a1.2]]');
  });

  it('has an error for what has not been performed, and one for a kernel that does not boot', async () => {
    const xml = await validXml(anInterruptedTable());
    const [, part, none, dead] = xml.split('<testsuite ');
    expect(part).to.match(/^name="Linux 6.1" tests="40" failures="0" errors="0"/);
    expect(none).to.match(/^name="Linux 6.2" tests="40" failures="0" errors="35"/);
    expect(none).to.include('<error type="MISSING" message="not performed: this experiment">');
    expect(none).to.include('next: macvlab matrix --resume');
    expect(dead).to.match(/^name="Linux 6.3" tests="1" failures="0" errors="1"/);
    expect(dead).to.include('<error type="MISSING" message="not performed: 40 experiments">');
    const last = xml.split('<testsuite ').at(-1);
    expect(last).to.match(/^name="Linux 6.4" tests="1" failures="0" errors="1"/);
    expect(last).to.include('<error type="VM_BOOT" message="the guest did not boot">');
    expect(last).to.include('Kernel panic - not syncing');
  });

  it('leaves out what is the part of another shard', async () => {
    const rows = [1, 2, 3].map((n) =>
      aTableRow(`A1.${n}`, 'one', [{}, n === 1 ? {} : { verdict: 'missing' }, { verdict: 'missing' }]),
    );
    const table = aTable(rows);
    table.columns[1]!.counts.missing = 1;
    table.columns[2]!.counts.missing = 0;
    const xml = await validXml(table);
    expect(
      suitesOf(xml).map((suite) => /name="([^"]*)" tests="(\d+)" failures="0" errors="(\d+)"/.exec(suite)?.slice(1)),
    ).to.deep.equal([
      ['Linux 6.1', '3', '0'],
      ['Linux 6.2', '2', '1'],
    ]);
    expect(xml).to.include('message="not performed: 1 experiment"');
  });

  it('alarms for a feature too', async () => {
    const table = aTable([aTableRow('A1.1', 'one', [{}])], {
      features: [
        { group: 'macvlan', name: 'bclim', cells: [{ state: 'refused', words: 'EINVAL', alarm: 'it was expected' }] },
      ],
    });
    expect(await validXml(table)).to.include('<failure type="ALARM" message="refused, but it was expected">');
  });

  it('stays valid whatever characters are in a table', async () => {
    expect(await validXml(aNastyTable())).not.to.match(/<script|<img/);
  });

  it('is not green when there is nothing in it', async () => {
    expect(await validXml(aTable([]))).to.include('<error type="NO_EVIDENCE"');
  });
});
