import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect } from 'chai';
import { validateXML } from 'xmllint-wasm';
import type { Validation } from '../../switch-port/validate.js';
import { junitSchema } from '../run/junit-schema.test-support.js';
import { PortReportFolder } from './folder.js';
import { type PortReport } from './record.js';

function segment(
  vlan: number | 'untagged',
  more: Partial<Validation['segments'][number]>,
): Validation['segments'][number] {
  return {
    ...{
      vlan,
      kind: 'reflects',
      words: 'reflects',
      advice: 'Nothing needs to be done.',
      remarks: [],
      evidence: ['40 frames sent'],
    },
    observation: {
      ...{ vlan, addresses: { child1: '10.0.0.8', child2: '10.0.0.9' } },
      macs: { nic: '00:16:3e:00:00:01', child1: '02:6d:0:1', child2: '02:6d:0:2', unknown: '02:6d:0:3' },
      ...{ controls: [], classes: [], bpdus: 0, waited: 0, carrier: true, frames: 40, received: 0, duration: 6000 },
    },
    ...more,
  };
}

const validation: Validation = {
  ...{ words: 'reflects only untagged', exit: 1, kind: 'reflects only', macs: '02:6d:00:00', frames: 120 },
  segments: [
    segment('untagged', {}),
    segment(10, { kind: 'does not reflect', words: 'does not reflect', remarks: ['<slow> & "odd"\u0007'] }),
    segment(20, { kind: 'cannot tell', what: 'VLAN 20 does not pass', cause: 'VLAN not allowed' }),
  ],
  pcaps: new Map([['untagged', new Map([['h1/eth1 in', Buffer.from('pcap')]])]]),
};
const about = { host: '10.0.0.11', nic: 'eth1', kernel: '6.12' };

describe('the report of a switch port', function () {
  this.timeout(20_000);
  let out: string;
  beforeEach(() => (out = mkdtempSync(join(tmpdir(), 'macvlab-port-'))));
  afterEach(() => rmSync(out, { recursive: true, force: true }));

  it('is a folder with JSON, JUnit and frames, and copies where they are wanted', async () => {
    const copies = { json: join(out, 'a', 'r.json'), junit: join(out, 'r.xml') };
    const folder = new PortReportFolder(out, ['validate-switch'], copies);
    expect(readdirSync(out), 'before there are results').to.deep.equal([]);
    const { lines } = folder.write(validation, about);
    expect(lines).to.include('VLAN 20: cannot tell: VLAN 20 does not pass');
    expect(lines.join('\n'))
      .to.contain('note: <slow> & "odd"')
      .and.to.match(/^120 frames in 0 s$/m);
    expect(readdirSync(folder.path).sort()).to.deep.equal(['junit.xml', 'report.json', 'untagged-h1-eth1-in.pcap']);
    const report = JSON.parse(readFileSync(copies.json, 'utf8')) as PortReport;
    expect(report).to.include({ answer: 'reflects only untagged', exit: 1, kind: 'reflects only', host: '10.0.0.11' });
    expect(report.segments.map(({ pcaps }) => pcaps)).to.deep.equal([['untagged-h1-eth1-in.pcap'], [], []]);
    const contents = readFileSync(copies.junit, 'utf8');
    const xml = { fileName: 'junit.xml', contents };
    const { valid, rawOutput } = await validateXML({ xml, schema: { fileName: 'junit.xsd', contents: junitSchema } });
    expect(valid, `${rawOutput}\n${contents}`).to.equal(true);
    expect(contents).to.contain('tests="3" failures="1" errors="1"').and.to.contain('type="VLAN not allowed"');
  });

  it('is JUnit alone, with the error for each VLAN, where an error has kept the port from an answer', async () => {
    const copies = { json: join(out, 'r.json'), junit: join(out, 'r.xml') };
    const folder = new PortReportFolder(out, ['validate-switch'], copies);
    const failure = { code: 'HOST_LOST', message: 'h1 was <lost>', details: 'Broken pipe', next: 'ask again' };
    folder.writeError(failure, { host: '10.0.0.11', nic: 'eth1', vlans: ['untagged', 10] });
    expect(readdirSync(folder.path)).to.deep.equal(['junit.xml']);
    expect(readdirSync(out).sort()).to.deep.equal(['latest-switch', 'r.xml', basename(folder.path)].sort());
    const contents = readFileSync(copies.junit, 'utf8');
    const xml = { fileName: 'junit.xml', contents };
    const { valid, rawOutput } = await validateXML({ xml, schema: { fileName: 'junit.xsd', contents: junitSchema } });
    expect(valid, `${rawOutput}\n${contents}`).to.equal(true);
    expect(contents).to.contain('tests="2" failures="0" errors="2"').and.to.contain('next: ask again');
    expect(contents.match(/<error type="HOST_LOST" message="h1 was &lt;lost&gt;"/g)).to.have.length(2);
    expect(
      contents.match(/<testcase [^>]*name="[^"]*"/g)?.map((tag) => /name="([^"]*)"$/.exec(tag)?.[1]),
    ).to.deep.equal(['untagged reflects', 'VLAN 10 reflects']);
  });

  it('is refused before anything is done where it cannot be written', () => {
    writeFileSync(join(out, 'file'), '');
    expect(() => new PortReportFolder(join(out, 'file', 'reports'), [])).to.throw('cannot be written');
    expect(() => new PortReportFolder(out, [], { junit: join(out, 'file', 'j.xml') })).to.throw('cannot be written');
  });
});
