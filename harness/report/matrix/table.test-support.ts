/** Kernel tables for unit tests of reports. */
import type { Comparison } from '../../matrix/compare/comparison.js';
import type { Cell, FeatureCell, KernelTable, TableRow } from '../../matrix/compare/kernel-table.js';

type GivenCell = Partial<Cell>;

/** The key of a row of {@link aTableRow}. */
export function keyFor(id: string, title: string): string {
  return `${id} ${title}`.toLowerCase().replace(/[^a-z0-9]+/g, '-');
}

/** A row of cells that passed, with the given changes. */
export function aTableRow(id: string, title: string, cells: GivenCell[], given: Partial<TableRow> = {}): TableRow {
  return {
    ...{ key: keyFor(id, title), id, title, suite: 'A1 bridge, private and vepa', file: 'suites/a1-modes.ts' },
    cells: cells.map((cell) => ({ verdict: 'passed', durationMs: 34.4, observed: {}, ...cell })),
    ...given,
  };
}

/** A table of these rows on kernels "6.1", "6.2" ... or with these names; its counts come from the rows. */
export function aTable(rows: TableRow[], given: Partial<KernelTable> & { names?: string[] } = {}): KernelTable {
  const { names = rows[0]?.cells.map((_, position) => `6.${position + 1}`) ?? [], ...others } = given;
  const columns = names.map((name, position) => {
    const counts = { passed: 0, failed: 0, skipped: 0, error: 0, missing: 0 };
    for (const { cells } of rows) counts[cells[position]!.verdict] += 1;
    const origin = `Debian trixie, ${name}.9-1`;
    return { name, version: `${name}.9`, release: `${name}.9+deb13-cloud-amd64`, origin, counts };
  });
  return {
    startedAt: '2026-11-21T08:15:00.123Z',
    macvlab: ['0.1.0'],
    machines: ['bench1'],
    complete: !rows.some(({ cells }) => cells.some(({ verdict }) => verdict === 'missing')),
    ...{ columns, rows, features: [], differences: [], known: [] },
    ...others,
  };
}

const copies = 'copies of a reflected multicast at a bridge sibling';
const refused: FeatureCell = { state: 'refused', words: 'RTNETLINK answers: Operation not supported' };
const supported: FeatureCell = { state: 'supported', words: 'bcqueuelen 2000' };

/** Four kernels with each kind of cell: known and unknown differences, a failure, an error, a skip and an alarm. */
export function aRichTable(): KernelTable {
  const failure = {
    ...{
      code: 'ASSERTION',
      message: 'answered',
      details: 'expected: no reply\nseen:     a reply',
      next: 'look at the frames',
    },
  };
  const observed = (count: number): GivenCell => ({ observed: { [copies]: count } });
  const multicast = 'reflected multicast twice';
  return aTable(
    [
      aTableRow('A1.1', 'bridge: ns1 reaches its sibling', [
        {},
        {},
        {},
        { evidence: 'kernels/7.2/r1/evidence/001-a1.1' },
      ]),
      aTableRow('A1.2', 'vepa: ns1 does not reach its sibling', [
        {},
        { verdict: 'failed', reason: 'the ping was answered', failure, evidence: 'kernels/6.1/r1/evidence/002-a1.2' },
        { verdict: 'failed', reason: 'the ping was answered', failure, evidence: 'kernels/6.12/r1/evidence/002-a1.2' },
        {},
      ]),
      aTableRow('A1.3', 'private: nobody answers', [{ verdict: 'error', reason: 'the capture ended' }, {}, {}, {}]),
      aTableRow('X2.1', 'the queue’s length can be set', [
        { verdict: 'skipped', reason: 'the kernel does not know bcqueuelen' },
        {},
        {},
        { alarm: 'it was expected to fail (queue of 7.2), and has passed' },
      ]),
      aTableRow('X3.1', 'bridge, hairpin on: multicast', [
        observed(1),
        observed(1),
        observed(1),
        { ...observed(2), expected: multicast },
      ]),
      aTableRow('X4.1', 'source: lists are kept', [
        { verdict: 'failed', reason: 'the list is empty', expected: 'source lists' },
        { verdict: 'failed', reason: 'the list is empty', expected: 'source lists' },
        { verdict: 'failed', reason: 'the list is empty', expected: 'source lists' },
        { verdict: 'failed', reason: 'the list is empty', expected: 'source lists' },
      ]),
    ],
    {
      names: ['5.10', '6.1', '6.12', '7.2'],
      features: [
        { group: 'macvlan', name: 'bcqueuelen', cells: [refused, supported, supported, supported] },
        { group: 'macvlan', name: 'mode vepa', cells: [supported, supported, supported, undefined] },
      ],
      differences: [
        {
          kind: 'verdict',
          subject: keyFor('A1.2', 'vepa: ns1 does not reach its sibling'),
          changes: [
            { since: '6.1', after: '5.10', from: 'passed', to: 'failed', explained: [] },
            { since: '7.2', after: '6.12', from: 'failed', to: 'passed', explained: [] },
          ],
          explained: [],
        },
        {
          ...{ kind: 'observed', subject: keyFor('X3.1', 'bridge, hairpin on: multicast'), value: copies },
          changes: [{ since: '7.2', after: '6.12', from: '1', to: '2', explained: [multicast] }],
          explained: [multicast],
        },
        {
          ...{ kind: 'feature', subject: 'macvlan: bcqueuelen' },
          changes: [{ since: '6.1', after: '5.10', from: 'refused', to: 'supported', explained: [] }],
          explained: [],
        },
      ],
      known: [
        {
          ...{ name: multicast, about: { experiment: 'X3.1', observed: copies }, kernels: '>=7.0', expected: 2 },
          ...{ reason: 'the switch’s copy comes too', source: 'https://example.org/commit?a=1&b=2' },
        },
        {
          ...{ name: 'source lists', about: { experiment: 'X4.1' }, kernels: '*', expected: 'failed' },
          ...{ reason: 'lists are emptied', source: 'drivers/net/macvlan.c, macvlan_changelink' },
        },
      ],
    },
  );
}

/** Twelve kernels, some with long names, and more experiments than a report shows. */
export function aWideTable(): KernelTable {
  const names = Array.from({ length: 12 }, (_, position) =>
    position === 11 ? 'my-very-own-kernel-of-today' : `6.${position}`,
  );
  const rows = Array.from({ length: 30 }, (_, number) =>
    aTableRow(
      `A${number}.1`,
      'two endpoints in vepa mode cannot ping each other, neither with IPv4 nor with IPv6',
      names.map((_, at) =>
        at === number % 12 ? { verdict: 'failed', reason: `no reply in 漢字, ${'x'.repeat(300)}` } : {},
      ),
    ),
  );
  return aTable(rows, { names });
}

/** Interrupted: one kernel is complete, one partial, one has not begun, and one does not boot. */
export function anInterruptedTable(): KernelTable {
  const dead: GivenCell = { verdict: 'error', reason: 'the guest did not boot' };
  const missing: GivenCell = { verdict: 'missing' };
  const rows = Array.from({ length: 40 }, (_, number) =>
    aTableRow(`A1.${number + 1}`, 'bridge', [{}, number < 5 ? {} : missing, missing, dead]),
  );
  const table = aTable(rows);
  const failure = {
    code: 'VM_BOOT',
    message: 'the guest did not boot',
    details: 'Kernel panic - not syncing',
    next: 'look',
  };
  table.columns[3]!.failure = failure;
  return table;
}

/** A comparison with an entry of each kind. */
export function aComparison(given: Partial<Comparison> = {}): Comparison {
  const subject = keyFor('A1.2', 'vepa: ns1 does not reach its sibling');
  const change = { subject: keyFor('X3.1', 'bridge, hairpin on: multicast'), value: 'copies', from: '1', to: '2' };
  return {
    baseline: { date: '2026-11-20T08:15:00.000Z', macvlab: ['0.1.0'] },
    newFailures: ['6.1', '6.12'].map((kernel) => ({
      kernel,
      subject,
      from: 'passed',
      to: 'failed',
      reason: 'it was answered',
    })),
    newErrors: [{ kernel: '6.18', to: 'error', reason: 'the guest did not boot' }],
    newAlarms: [],
    fixed: [
      { kernel: '7.2', subject: keyFor('A1.1', 'bridge: ns1 reaches its sibling'), from: 'failed', to: 'passed' },
    ],
    changed: [
      { ...change, kernel: '7.2', explained: ['reflected multicast twice'], worse: false },
      { ...change, kernel: '6.1', explained: [], worse: true },
    ],
    newKernels: ['7.2'],
    vanishedKernels: ['4.19'],
    updatedKernels: [{ name: '6.1', from: '6.1.8', to: '6.1.9' }],
    newExperiments: [],
    vanishedExperiments: ['a9-gone'],
    ...given,
  };
}

/** A comparison without changes. */
export function anEqualComparison(): Comparison {
  const none = {
    newFailures: [],
    newErrors: [],
    newAlarms: [],
    fixed: [],
    changed: [],
    newKernels: [],
    vanishedKernels: [],
  };
  return aComparison({ ...none, updatedKernels: [], newExperiments: [], vanishedExperiments: [] });
}

/** Text that a hostile kernel might send. */
export const nasty =
  'a\u0000\u0008\u001b[31mred\ud800 ]]> <script>alert(1)</script> <img src=x onerror=alert(1)> "q" \'a\' &amp; &#0; | `code` ' +
  '$x$ [l](javascript:alert(1)) **b** \u202e 02:ab:11 @all #1 \ufffe\u2028\r\n# end';

/** A table in which every text is hostile. */
export function aNastyTable(): KernelTable {
  const cell: GivenCell = {
    reason: nasty,
    observed: { [nasty]: nasty },
    evidence: `javascript:${nasty}/../"x"`,
    alarm: nasty,
  };
  const failed: GivenCell = { verdict: 'failed', reason: nasty, observed: { [nasty]: 'b' }, expected: nasty };
  const skipped: GivenCell = { verdict: 'skipped', reason: nasty };
  const row = aTableRow(
    nasty,
    nasty,
    [cell, failed, skipped, { verdict: 'error', reason: nasty }, { verdict: 'failed', reason: nasty }],
    {
      ...{ key: nasty, suite: nasty, file: nasty },
    },
  );
  const feature: FeatureCell = { state: 'refused', words: nasty };
  const change = { since: nasty, after: nasty, from: nasty, to: nasty, explained: [nasty] };
  const table = aTable([row], {
    ...{
      startedAt: '2026-11-21T08:15:00.123Z',
      macvlab: [nasty],
      machines: [nasty],
      names: [1, 2, 3, 4, 5].map((n) => `${nasty}${n}`),
    },
    features: [
      { group: nasty, name: nasty, cells: [feature, undefined, { ...feature, alarm: nasty }, feature, feature] },
    ],
    differences: [
      { kind: 'observed', subject: nasty, value: nasty, changes: [change], explained: [nasty] },
      { kind: 'feature', subject: nasty, changes: [change], explained: [nasty] },
    ],
    known: [
      {
        name: nasty,
        about: { experiment: nasty },
        kernels: '*',
        expected: 'failed',
        reason: nasty,
        source: `javascript:${nasty}`,
      },
    ],
  });
  for (const column of table.columns) {
    column.release = nasty;
    column.origin = nasty;
    column.failure = { code: nasty, message: nasty, details: nasty, next: nasty };
  }
  return table;
}

/** A comparison in which every text is hostile. */
export function aNastyComparison(): Comparison {
  const deviation = { kernel: nasty, subject: nasty, value: nasty, from: nasty, to: nasty, reason: nasty };
  return aComparison({
    ...{ newFailures: [deviation], newErrors: [deviation], newAlarms: [deviation], fixed: [deviation] },
    changed: [{ ...deviation, explained: [nasty], worse: true }],
    ...{ newKernels: [nasty], vanishedKernels: [nasty], newExperiments: [nasty], vanishedExperiments: [nasty] },
    updatedKernels: [{ name: nasty, from: nasty, to: nasty }],
  });
}
