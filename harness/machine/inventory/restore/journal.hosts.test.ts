import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { main } from '../../../cli/command-line.test-support.js';
import type { Task } from './changing.test-support.js';
import {
  type Ended,
  type HostName,
  type Hosts,
  type Running,
  skipWithoutHosts,
  startHosts,
} from '../hosts.test-support.js';
import { hostPlaces } from '../hosts-script.test-support.js';
import { Journal, listJournals, noteUndone, readJournal } from './journal.js';
import { leftJournals } from './restore.js';

const changing = fileURLToPath(new URL('changing.test-support.js', import.meta.url));

describe('a journal of undos', () => {
  let folder: string;
  const before = process.env['MACVLAB_STATE'];
  const address = { name: 'node1', host: 'h1', sudo: false };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'macvlab-journal-'));
    process.env['MACVLAB_STATE'] = folder;
  });
  afterEach(() => {
    if (before === undefined) delete process.env['MACVLAB_STATE'];
    else process.env['MACVLAB_STATE'] = before;
    rmSync(folder, { recursive: true });
  });

  /** Writes a journal with these lines, as a killed run leaves it. */
  function left(...lines: unknown[]): string {
    const journal = Journal.begin([{ address, nic: 'eth1' }]);
    const header = { ...(JSON.parse(readFileSync(journal.file, 'utf8')) as object), boot: 'an earlier one' };
    writeFileSync(journal.file, [header, ...lines].map((line) => `${JSON.stringify(line)}\n`).join(''));
    return journal.file;
  }
  const undo = (number: number) => ({
    undo: number,
    host: 'node1',
    commands: [['ip', 'link', 'delete', `m${number}`]],
  });

  it('is for its owner alone, and gone when its run ends with nothing due', () => {
    const journal = Journal.begin([{ address, nic: 'eth1' }]);
    expect(statSync(journal.file).mode & 0o777).to.equal(0o600);
    expect(statSync(join(folder, 'inventory')).mode & 0o777).to.equal(0o700);
    expect(listJournals().map(({ alive, hosts }) => ({ alive, hosts }))).to.deep.equal([
      { alive: true, hosts: [{ address, nic: 'eth1' }] },
    ]);
    expect(leftJournals(), 'of a run that is at work').to.be.empty;
    journal.end();
    journal.end();
    expect(listJournals()).to.be.empty;
  });

  it('says what is due, oldest first', () => {
    const file = left({ host: 'node1', up: 'boot', lab: 'pid:[1] 2' }, undo(1), undo(2), { undone: 1 }, undo(3));
    const journal = readJournal(file);
    expect(journal?.due.map(({ number }) => number)).to.deep.equal([2, 3]);
    expect(journal?.reached.get('node1')).to.include({ up: 'boot', lab: 'pid:[1] 2' });
    expect(leftJournals().map((each) => each.file)).to.deep.equal([file]);
  });

  it('that was cut off anywhere says what was whole, and nothing else', () => {
    const file = left({ host: 'node1', up: 'boot', lab: 'pid:[1] 2' }, undo(1), undo(2));
    const whole = readFileSync(file, 'utf8');
    const ends = [...whole.matchAll(/\n/g)].map(({ index }) => index + 1);
    for (let length = whole.length; length > 0; length -= 7) {
      truncateSync(file, length);
      const lines = ends.filter((end) => end <= length).length;
      const journal = readJournal(file);
      expect(journal?.due.length, `${length} bytes`).to.equal(lines === 0 ? undefined : Math.max(lines - 2, 0));
      expect(journal?.damaged ?? 0).to.equal(0);
    }
  });

  it('is gone on with behind a line that was cut off', () => {
    const file = left(undo(1), undo(2));
    appendFileSync(file, '{"undo":3,"ho');
    noteUndone(file, [2]);
    const journal = readJournal(file);
    expect(journal?.due.map(({ number }) => number)).to.deep.equal([1]);
    noteUndone(file, [1]);
    expect(readJournal(file)?.due).to.be.empty;
  });

  it('is not thrown away when a line within it is damaged', () => {
    const file = left('what?', undo(1), { undone: 1 });
    expect(leftJournals().map(({ damaged }) => damaged)).to.deep.equal([1]);
    expect(readdirSync(join(folder, 'inventory'))).to.have.lengthOf(1);
    rmSync(file);
  });
});

describe('undos on hosts (needs root, sshd)', function undosOnHosts() {
  this.timeout(120_000);
  let hosts: Hosts;
  let untouched: Record<'h1' | 'h2', string>;

  before(async function () {
    skipWithoutHosts(this);
    hosts = await startHosts();
    untouched = { h1: await hosts.traces('h1'), h2: await hosts.traces('h2') };
  });
  after(() => hosts?.close());
  afterEach(async () => {
    for (const name of ['h1', 'h2'] as const) expect(await traces(name), name).to.equal(untouched[name]);
    expect(journals()).to.be.empty;
  });

  /** A host's traces, after a wait for the end of everything that ends with a connection. */
  async function traces(name: 'h1' | 'h2'): Promise<string> {
    for (let tries = 0; ; tries++) {
      const now = await hosts.traces(name);
      if (now === untouched[name] || tries === 40) return now;
    }
  }

  function journals(): string[] {
    return readdirSync(join(hosts.files.folder, 'state', 'inventory'), { encoding: 'utf8' });
  }

  function start(...names: HostName[]): Running {
    const task: Task = { hosts: names.map((name) => ({ address: hosts.address(name), nic: 'eth1' })) };
    return hosts.start([process.execPath, changing, JSON.stringify(task)], { input: null });
  }

  async function tell(running: Running, ...words: string[]): Promise<void> {
    for (const word of words) {
      running.write(word);
      await running.said(`${word}: done`);
    }
  }

  async function gc(...words: string[]): Promise<Ended> {
    return hosts.run([process.execPath, main, 'gc', '--lab', 'inventory', ...words]);
  }

  it('are performed by the run itself, and nothing is left', async () => {
    const run = start('h1');
    await tell(run, 'begin', 'change');
    expect(await hosts.onHost('h1', ['ip', '-o', 'address', 'show', 'dev', 'eth1'])).to.contain('192.0.2.1/24');
    expect((await gc()).stdout, 'it is at work').to.equal('nothing was left behind\n');
    await tell(run, 'undo');
    run.write('end');
    expect(await run.ended).to.include({ status: 0 });
    expect((await gc()).stdout).to.equal('nothing was left behind\n');
  });

  it('are performed by gc when the run was killed, and twice is once', async () => {
    const run = start('h1', 'h2');
    await tell(run, 'begin', 'change');
    run.kill('SIGKILL');
    await run.ended;
    expect(await hosts.onHost('h1', ['ip', '-o', 'link'])).to.match(/mac0@.*UP/);
    expect(await hosts.onHost('h2', ['ip', 'route'])).to.contain('198.51.100.0/24');
    const would = await gc('--dry-run');
    expect(would.stdout).to.match(/^h1: 4 changes of a run that is gone would be taken back .*\nh2: 4 changes/);
    expect(await hosts.onHost('h1', ['ip', '-o', 'link'])).to.contain('mac0@');
    const first = await gc();
    expect(first, first.stderr).to.include({ status: 0 });
    expect(first.stdout).to.match(/^h1: 4 changes of a run that is gone are taken back .*\nh2: 4 changes/);
    const second = await gc();
    expect(second).to.include({ status: 0, stdout: 'nothing was left behind\n' });
  });

  it('are content with what somebody has taken back already, and with a line that was cut off', async () => {
    const run = start('h1');
    await tell(run, 'begin', 'change');
    run.kill('SIGKILL');
    await run.ended;
    const [name = ''] = journals();
    appendFileSync(join(hosts.files.folder, 'state', 'inventory', name), '{"undo":5,"host":"h1","comm');
    await hosts.onHost('h1', ['ip', 'link', 'delete', 'mac0']);
    await hosts.onHost('h1', ['ip', 'address', 'flush', 'dev', 'eth1', 'scope', 'global']);
    const ended = await gc();
    expect(ended, ended.stderr).to.include({ status: 0 });
  });

  it('gc of one change, and of a host that was booted since: says “is”, and nothing of what is not due', async () => {
    const up = (await hosts.onHost('h1', ['cat', '/proc/sys/kernel/random/boot_id'])).trim();
    const folder = join(hosts.files.folder, 'state', 'inventory');
    mkdirSync(folder, { recursive: true });
    for (const [name, boot] of [
      ['one', up],
      ['two', 'another boot'],
    ] as const) {
      const owner = { owner: { pid: 1, startTime: 1 }, boot: 'an earlier one', namespace: 'pid:[1]' };
      const address = hosts.address('h1');
      const header = { journal: 1, created: new Date().toISOString(), ...owner, hosts: [{ address, nic: 'eth1' }] };
      const due = { undo: 1, host: 'h1', commands: [['ip', 'link', 'delete', 'mac7']] };
      const lines = [header, { host: 'h1', up: boot, lab: 'pid:[1] 2' }, due];
      writeFileSync(join(folder, `${name}.jsonl`), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    }
    const { stdout, status, stderr } = await gc();
    expect(status, stderr).to.equal(0);
    expect(stdout).to.equal('h1: 1 change of a run that is gone is taken back (one)\n');
  });

  it('wait for a host that cannot be reached', async () => {
    const run = start('h1', 'h2');
    await tell(run, 'begin', 'change');
    // The host does not detect that the run was killed: the lab stays there until its silence timeout.
    hosts.setManagement('h2', false);
    run.kill('SIGKILL');
    await run.ended;
    // as after a power failure of the admin's machine: the host gets no notice later either
    await hosts.run(['ss', '-K', 'dst', hostPlaces.h2.address]);
    // without a neighbour entry, the connection attempt fails soon
    await hosts.run(['ip', 'neighbour', 'flush', 'all']);
    const first = await gc();
    expect(first.status).to.equal(3);
    expect(first.stdout).to.match(/^h1: 4 changes/);
    expect(first.stderr)
      .to.match(/h2 is not as it was: HOST_UNREACHABLE: .*/)
      .and.to.contain('the journal stays');
    hosts.setManagement('h2', true);
    const second = await gc();
    expect(second, second.stderr).to.include({ status: 0 });
    expect(second.stdout)
      .to.match(/^h2: 4 changes/)
      .and.not.to.contain('h1');
  });

  it('are performed over a new connection when the first is lost', async () => {
    const run = start('h1');
    await tell(run, 'begin', 'change');
    await hosts.dropConnections('h1');
    run.write('end although lost');
    const ended = await run.ended;
    expect(ended, ended.stderr).to.include({ status: 0 });
    expect(ended.stdout).to.contain('the undo failed');
  });

  it('of a killed run are performed by the next on that host', async () => {
    const run = start('h1');
    await tell(run, 'begin', 'change');
    run.kill('SIGKILL');
    await run.ended;
    const next = start('h1');
    await tell(next, 'begin');
    expect(await hosts.onHost('h1', ['ip', '-o', 'link'])).not.to.contain('mac0');
    next.write('end');
    expect(await next.ended).to.include({ status: 0 });
  });

  it('leave a link alone that had the name before us', async () => {
    await hosts.onHost('h1', ['ip', 'link', 'add', 'mac0', 'type', 'bridge']);
    const run = start('h1');
    await tell(run, 'begin');
    run.write('change');
    const refused = await run.ended;
    expect(refused.stderr).to.contain('File exists');
    expect((await gc()).status).to.equal(0);
    expect(await hosts.onHost('h1', ['ip', '-o', 'link'])).to.contain('mac0');
    await hosts.onHost('h1', ['ip', 'link', 'delete', 'mac0']);
  });

  it('are of one lab at a time on a network card, and of several on several', async () => {
    const first = start('h1');
    await tell(first, 'begin');
    const same = start('h1');
    same.write('begin');
    const refused = await same.ended;
    expect(refused.stderr).to.match(/^HOST_NIC: eth1 of h1 is in use by another lab/);
    const other = start('h2');
    await tell(other, 'begin', 'change', 'undo');
    for (const run of [first, other]) run.write('end');
    expect(await first.ended).to.include({ status: 0 });
    expect(await other.ended).to.include({ status: 0 });
    expect((await gc()).status, 'the journal of the refused one').to.equal(0);
  });
});
