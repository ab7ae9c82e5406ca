import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Evidence, TestRecord } from '../../run/record.js';
import { elementsOf, named } from '../document/elements.test-support.js';
import { pageSize, runPage } from './page.js';
import { aRecord, aRun } from './results.test-support.js';

const frames = {
  schema: 1,
  points: ['node1/ns1/eth0', 'switch/node1 in'],
  pings: [
    {
      ...{ from: 'ns1', to: 'ns2', target: '10.0.0.2', outcome: 'lost', reason: 'the switch drops it' },
      lost: { step: 'ARP request', last: 'switch/node1 in', missing: 'switch/node1 out' },
    },
  ],
  frames: [
    {
      id: 1,
      text: 'ARP who-has 10.0.0.2',
      kind: 'ping',
      lostOf: 0,
      seen: [
        [0, 0],
        [1, 0.1],
      ],
    },
  ],
  omitted: 0,
};
const links = { 'node1: ip address show': [{ ifindex: 2, ifname: 'eth1', address: '02:00:00:00:00:01' }] };

describe('the page of a run', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'macvlab-page-'));
    mkdirSync(join(folder, 'evidence'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function evidence(kind: Evidence['kind'], name: string, content: string): Evidence {
    writeFileSync(join(folder, 'evidence', name), content);
    return { kind, file: `evidence/${name}`, title: `the ${kind}` };
  }

  const pageOf = (records: TestRecord[]) => runPage({ folder, run: aRun({ planned: records.length }), records });

  it('says the result first, then what needs attention, with the next step', () => {
    const failure = { code: 'ASSERTION', message: 'expected a reply', next: 'look at the frames' };
    const page = pageOf([
      aRecord({ verdict: 'failed', reason: 'no reply', failure }),
      aRecord({ number: 2, id: 'A2.1', title: 'a trunk', verdict: 'skipped', reason: 'needs VLANs' }),
      aRecord({ number: 3 }),
    ]);
    const [lead] = named(elementsOf(page), 'strong');
    expect(lead?.text).to.equal(
      '1 of 3 experiments failed: the kernel or the switch did not do what was expected; 1 passed; 1 were skipped.',
    );
    const [attention] = named(elementsOf(page), 'section');
    expect(attention?.attributes.id).to.equal('attention');
    for (const words of ['failed', 'no reply', 'Next: look at the frames', '1 skipped needs VLANs'])
      expect(attention?.text).to.include(words);
    const open = named(elementsOf(page), 'details').filter(({ attributes }) => attributes.open);
    expect(open.map(({ attributes }) => attributes.id)).to.deep.equal(['test-1']);
  });

  it('a run in which all passed needs no attention', () => {
    const elements = elementsOf(pageOf([aRecord()]));
    expect(named(elements, 'strong')[0]?.text).to.equal('All 1 experiments that ran passed.');
    expect(named(elements, 'section').map(({ attributes }) => attributes.id)).to.deep.equal(['suite-1', 'time']);
  });

  it('draws the network and the frames of an experiment, with the place where a frame is missing', () => {
    const record = aRecord({
      evidence: [
        evidence('frames-json', 'f.json', JSON.stringify(frames)),
        evidence('links', 'l.json', JSON.stringify(links)),
      ],
    });
    const elements = elementsOf(pageOf([record]));
    const drawings = named(elements, 'svg');
    expect(drawings.map(({ attributes }) => attributes.class)).to.deep.equal(['network', 'ladder']);
    expect(drawings[0]?.text).to.include('eth1 02:00:00:00:00:01');
    expect(drawings[1]?.text).to.include('not seen at switch/node1 out');
    expect(elements.some(({ text }) => text === 'ns1 to ns2 (10.0.0.2): lost, the switch drops it')).to.equal(true);
    const ids = elements.flatMap(({ attributes }) => attributes.id ?? []);
    expect(new Set(ids).size).to.equal(ids.length);
    for (const { attributes } of named(elements, 'a'))
      if (attributes.href?.startsWith('#')) expect(ids).to.include(attributes.href.slice(1));
    expect(named(elements, 'a').map(({ attributes }) => attributes.href)).to.include('./evidence/f.json');
  });

  it('a failed experiment: its commands and frames are in the page, up to a limit', () => {
    const record = aRecord({
      verdict: 'failed',
      evidence: [evidence('commands', 'c.txt', '$ ip link'), evidence('frames', 'f.txt', 'x'.repeat(50_000))],
    });
    const text = named(elementsOf(pageOf([record])), 'pre').map((element) => element.text);
    expect(text[0]).to.equal('$ ip link');
    expect(text[1]).to.match(/^x{40000}\n… 10000 more characters in evidence\/f\.txt$/);
  });

  it('the evidence of another user: is text, is read only from the folder, and may be anything', () => {
    const nasty = '"><script>alert(1)</script>\u001b[2J';
    writeFileSync(join(folder, '..', 'outside.txt'), 'a secret');
    symlinkSync(join(folder, '..', 'outside.txt'), join(folder, 'evidence', 'link.txt'));
    const odd = JSON.stringify({
      ...frames,
      points: [nasty],
      frames: [{ ...frames.frames[0], text: nasty, lostOf: 9 }],
    });
    const records = [...[odd, '{', '[]', JSON.stringify({ ...frames, frames: [{ id: 1 }] })]].map((content, index) =>
      aRecord({
        ...{ number: index + 1, title: nasty, suite: nasty, reason: nasty, verdict: 'failed' },
        evidence: [
          evidence('frames-json', `${index}.json`, content),
          evidence('links', `l${index}.json`, content),
          { kind: 'commands', file: 'evidence/link.txt', title: nasty },
          { kind: 'frames', file: 'evidence/missing.txt', title: nasty },
        ],
      }),
    );
    const page = pageOf(records);
    const elements = elementsOf(page);
    expect(named(elements, 'script')).to.have.lengthOf(1);
    expect(page).to.not.include('a secret').and.to.not.include('\u001b');
    expect(named(elements, 'svg')).to.have.lengthOf(1);
    rmSync(join(folder, '..', 'outside.txt'));
  });

  it('states its size, and warns if it is large', () => {
    expect(pageSize('x'.repeat(2_900_000))).to.equal('2.9 MB');
    expect(pageSize('x'.repeat(10_500_000))).to.match(/^10\.5 MB: a browser may be slow/);
  });
});
