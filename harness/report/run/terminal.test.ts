import { join } from 'node:path';
import { expect } from 'chai';
import type { RunResults } from '../../run/record.js';
import { aRecord, aRun, resultsOf } from './results.test-support.js';
import { terminalTable } from './terminal.js';

const folder = join(process.cwd(), 'reports', 'r1');

const failed: RunResults = {
  folder,
  run: aRun({ planned: 3 }),
  records: [
    aRecord({ number: 1, id: 'A1.1' }),
    aRecord({
      number: 2,
      id: 'A1.2',
      verdict: 'failed',
      reason: 'the frame was seen leaving node1 and never reached node2, although its witness did so twice in a row',
      failure: { code: 'ASSERTION', message: 'no reply', details: 'expected: 1\nseen:\u001b[2J 0', next: 'read it' },
      evidence: [
        { kind: 'pcap', file: 'evidence/002-a1.2/node1.pcap', title: 'frames on node1' },
        { kind: 'repro', file: 'evidence/002-a1.2/repro.sh', title: 'the commands' },
      ],
    }),
    aRecord({ number: 3, id: 'A1.3', verdict: 'error', failure: { code: 'CAPTURE_ENDED', message: 'tcpdump died' } }),
  ],
};

describe('the terminal view', () => {
  for (const width of [40, 60, 80, 90, 120, 200]) {
    it(`fits its table into ${width} columns`, () => {
      const lines = terminalTable(failed, { width, colour: false })
        .split('\n')
        .filter((line) => /^[│┌├└]/.test(line));
      expect(lines.length).to.be.greaterThan(4);
      for (const line of lines) expect(line).to.have.lengthOf(width);
    });
  }

  it('an experiment that ran twice: a line below the table with the reason', () => {
    const records = [aRecord({ id: 'A1.1', title: 'bridge', repeated: 'the clock was set' }), aRecord()];
    const lines = terminalTable({ folder, run: aRun({ planned: 2 }), records }, { width: 120, colour: false }).split(
      '\n',
    );
    expect(lines.filter((line) => line.startsWith('ran twice'))).to.deep.equal([
      'ran twice: A1.1 bridge: the clock was set',
    ]);
  });

  it('a failed test with a pcapng: the command that shows the way of its frame', () => {
    const file = "evidence/002-a1.2/it's.pcapng";
    const shown = (packets?: number[]) => {
      const pcapng = { kind: 'pcap' as const, file, title: 'frames', ...(packets && { packets }) };
      const records = [aRecord({ number: 1, id: 'A1.2', verdict: 'failed', evidence: [pcapng] })];
      const text = terminalTable({ ...failed, records }, { width: 100, colour: false });
      return /^ {2}frame: {4}(.*)$/m.exec(text)?.[1] ?? '';
    };
    expect(shown([3, 7])).to.equal(
      `tshark -r 'reports/r1/evidence/002-a1.2/it'\\''s.pcapng' -Y 'frame.packet_id == 3 or frame.packet_id == 7' ` +
        '-T fields -e frame.time_relative -e frame.interface_name -e _ws.col.Info -e frame.comment',
    );
    expect(shown()).to.include(`-Y 'not frame.comment == "witness"'`);
    expect(terminalTable(failed, { width: 100, colour: false })).not.to.include('tshark');
  });

  it('a narrow terminal: a reason that nothing below repeats is whole, and set apart from its title', () => {
    const reason =
      'the sandbox has no VLAN sub-interfaces, which need CONFIG_VLAN_8021Q, and a guest that has them was not allowed';
    const results = { ...failed, records: [aRecord({ id: 'A2.1', title: 'a title', verdict: 'skipped', reason })] };
    const text = terminalTable(results, { width: 40, colour: true });
    // eslint-disable-next-line no-control-regex -- colours are what this is about
    const plain = text.replace(/\u001b\[\d+m/g, '');
    const column = plain.split('\n').flatMap((line) => /^│[^│]*│ ([^│]*?) *│/.exec(line)?.[1] ?? []);
    expect(column.join('').replaceAll(' ', '')).to.equal(`titleatitle${reason.replaceAll(' ', '')}`);
    expect(text).to.include('\u001b[2mthe sandbox');
  });

  it('states what failed, what to do next and where the evidence is', () => {
    const text = terminalTable(failed, { width: 100, colour: false });
    expect(text).to.include(
      [
        'FAILED A1.2 two endpoints in vepa mode cannot ping each other',
        '  the frame was seen leaving node1 and never reached node2, although its witness did so twice in a row',
        '  no reply',
        '    expected: 1',
        '    seen: 0',
        '  next:     read it',
        '  evidence: reports/r1/evidence/002-a1.2',
        '  repeat:   reports/r1/evidence/002-a1.2/repro.sh',
      ].join('\n'),
    );
    expect(text).to.include('ERROR A1.3 two endpoints in vepa mode cannot ping each other\n  tcpdump died\n');
    expect(text).to.include(
      'report:   reports/r1/report.html\nJUnit:    reports/r1/junit.xml\nrecords:  reports/r1/records\nevidence: reports/r1/evidence',
    );
  });

  it('ends with the summary line, errors counted and told before it', () => {
    const lines = terminalTable(failed, { width: 100, colour: true }).split('\n');
    expect(lines.slice(-2)).to.deep.equal([
      'of the failed, 1 was an error of the lab (exit 1)',
      '1 passed, 2 failed, 0 skipped',
    ]);
    const errors = terminalTable(resultsOf(['error', 'error']), { width: 100, colour: true }).split('\n');
    expect(errors.at(-2)).to.equal('of the failed, 2 were errors of the lab (exit 3)');
    expect(terminalTable(resultsOf(['failed']), { width: 100, colour: false })).not.to.include('of the failed');
  });

  it('is plain without colour, and coloured with it', () => {
    expect(terminalTable(failed, { width: 100, colour: false })).not.to.include('\u001b');
    expect(terminalTable(failed, { width: 100, colour: true })).to.include('\u001b[31mFAILED\u001b[39m');
  });

  it('says why there is nothing to show', () => {
    const failure = { code: 'LAB_OPEN', message: 'no namespaces', details: 'EPERM', next: 'be root' };
    const text = terminalTable(resultsOf([], { planned: 5, failure }), { width: 100, colour: false });
    expect(text).to.match(/^ERROR no namespaces\n {4}EPERM\n {2}next: {5}be root\n/);
    expect(text).to.match(/\n0 passed, 0 failed, 0 skipped$/);
    const cutShort = terminalTable(resultsOf(['passed'], { planned: 5, interrupted: true }), {
      width: 100,
      colour: false,
    });
    expect(cutShort).to.include('ERROR the run was interrupted: 1 of 5 planned tests have a record');
  });
});
