import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { type SideBySide, sideBySide } from '../../setup/side-by-side.test-support.js';
import {
  type HostName,
  type Hosts,
  hostPlaces,
  skipWithoutHosts,
  startHosts,
} from '../../machine/inventory/hosts.test-support.js';
import type { RunResults, TestRecord } from '../../run/record.js';

const main = fileURLToPath(new URL('../main.js', import.meta.url));

/** The experiments to run: all that can depend on the hosts and the switch of an inventory. */
const filters = ['A0.4', 'A1.1', 'A1.3', 'A1.4', 'A1.6', 'A3.1', 'A4', 'X5.1'];

/** Runs wait for hosts to settle, and for requests without a reply. */
const atOnce = 4;

/** Each test has hosts of its own from the fixture: real ssh, real sshds, and a switch between them. */
describe('run on hosts of an inventory (needs root)', function runInventory() {
  // The last test to begin waits for all others.
  this.timeout(600_000);

  before(function () {
    skipWithoutHosts(this);
  });

  const tests: SideBySide[] = [];
  function test(title: string, work: (hosts: Hosts) => Promise<void>): void {
    const run = async () => {
      await using hosts = await startHosts();
      await work(hosts);
    };
    tests.push({ title, run });
  }

  const two = { node1: 'h1', node2: 'h2' } as const satisfies Record<string, HostName>;
  const three = { ...two, router: 'h3' } as const;
  const off = { node1: 'off', node2: 'off', router: 'off' };

  interface Done {
    run: RunResults['run'];
    records: TestRecord[];
    folder: string;
    /** Each experiment's verdict. */
    verdicts: string[];
    /** Why experiments were skipped. */
    reasons: Set<string>;
    stderr: string;
  }

  async function run(hosts: Hosts, lab: string[], wanted = filters): Promise<Done> {
    const argv = [main, 'run', ...wanted, '--reporter', 'json', '--out', hosts.files.folder, ...lab];
    const { stdout, stderr } = await hosts.run([process.execPath, ...argv], { cwd: hosts.files.folder });
    expect(stdout, stderr).to.match(/^\{/);
    const { run: about, records, folder } = JSON.parse(stdout) as RunResults;
    expect(about.failure, stderr).to.equal(undefined);
    for (const { verdict, id, title, reason } of records)
      expect(verdict, `${id} ${title}: ${reason}`).to.be.oneOf(['passed', 'skipped']);
    const skipped = records.filter(({ verdict }) => verdict === 'skipped');
    const verdicts = records.map(({ key, verdict }) => `${key}: ${verdict}`);
    return {
      run: about,
      records,
      folder,
      verdicts,
      reasons: new Set(skipped.map(({ reason = '' }) => reason)),
      stderr,
    };
  }

  const on = (hosts: Hosts, machines: Readonly<Record<string, HostName>>, more: Record<string, unknown> = {}) =>
    run(hosts, ['--lab', 'inventory', '--inventory', hosts.inventory(machines, more)]);

  test('comes to the same verdicts as in a lab of its own where the switch can be set: a Linux bridge by SSH', async (hosts) => {
    const { nic: _, ...reachable } = hosts.machine('switch');
    const ports = { node1: 'h1', node2: 'h2', router: 'h3' };
    const [here, there] = await Promise.all([
      run(hosts, ['--lab', 'sandbox']),
      on(hosts, three, { switch: { driver: { bridge: { ...reachable, device: 'br0', ports } } } }),
    ]);
    expect(here.verdicts).to.not.be.empty;
    expect(there.verdicts).to.deep.equal(here.verdicts);
  });

  test('comes to the same verdicts where a command of the owner’s sets it, which finds it as it was behind the run', async (hosts) => {
    const hook = join(hosts.files.folder, 'hook');
    const { address } = hostPlaces.switch;
    const set = `exec ssh -o BatchMode=yes -l root ${address} -- bridge link set dev $p hairpin $3 </dev/null`;
    writeFileSync(hook, `#!/bin/sh\ncase $2 in node1) p=h1;; node2) p=h2;; *) p=h3;; esac\n${set}\n`);
    chmodSync(hook, 0o755);
    await hosts.onSwitch(['bridge', 'link', 'set', 'dev', 'h1', 'hairpin', 'on']);
    const { verdicts, reasons } = await on(hosts, three, {
      switch: { hairpin: { ...off, node1: 'on' }, driver: { command: [hook] } },
    });
    expect([...reasons]).to.deep.equal([]);
    expect(verdicts).to.not.be.empty;
    expect(await hosts.onSwitch(['bridge', '-d', 'link', 'show', 'dev', 'h1'])).to.include('hairpin on');
  });

  test('skips what the switch would have to be set for, where nobody can; says so beforehand, and notes the MAC range', async (hosts) => {
    const { run: about, records, reasons, stderr } = await on(hosts, three, { switch: { hairpin: off } });
    expect([...reasons]).to.deep.equal([
      'needs the switch’s port of node1 to reflect: the inventory names no switch driver',
    ]);
    const skipped = records.filter(({ verdict }) => verdict === 'skipped').map(({ id }) => id);
    expect([...new Set(skipped)]).to.deep.equal(['A1.4', 'A1.6', 'X5.1']);
    expect(about.macRange).to.match(/^02:6d:[0-9a-f]{2}:[0-9a-f]{2}:\*:\*$/);
    expect(stderr)
      .to.include(`MAC addresses ${about.macRange}`)
      .and.to.match(/node1 +root@10\.99\.0\.1: .*eth1/);
  });

  test('skips what needs a router, where there is none', async (hosts) => {
    const { reasons, verdicts } = await on(hosts, two, { switch: { hairpin: { node1: 'off', node2: 'off' } } });
    expect([...reasons].filter((reason) => !reason.includes('no switch driver'))).to.deep.equal([
      'needs a router, for which the inventory names no third machine',
      'needs a client behind a router, for which the inventory names no third machine',
    ]);
    expect(verdicts).to.include('a1-bridge-to-parent: passed');
    expect(verdicts).to.include('a3-ping-docker1-to-docker2: passed');
  });

  test('skips what depends on whether the switch reflects, where nobody knows', async (hosts) => {
    const { reasons, verdicts } = await on(hosts, three);
    expect([...reasons]).to.deep.equal([
      'whether the switch reflects at the port of node1 is not known: macvlab validate-switch tells',
    ]);
    expect(verdicts).to.include('a1-bridge-to-sibling: passed');
    expect(verdicts).to.include('a1-bridge-to-parent: skipped');
  });

  test('performs on cards that carry the SSH connection what cannot cut it, and captures nothing of that', async (hosts) => {
    const machines = Object.fromEntries(
      Object.entries(three).map(([role, name]) => [role, hosts.machine(name, { nic: 'mgmt0' })]),
    );
    const file = hosts.inventory({}, { machines, switch: { hairpin: off } });
    const { records, reasons } = await run(
      hosts,
      ['--lab', 'inventory', '--inventory', file],
      ['A0.8', 'A1.1', 'A4.8'],
    );
    expect([...reasons]).to.deep.equal([
      'a passthru child gets all frames of its parent, and mgmt0 of node1 carries the SSH connection with it',
      'mgmt0 of node1 carries the SSH connection with it: --allow-disconnect performs it all the same, with a rollback on the host itself',
    ]);
    const performed = records.filter(({ id }) => id === 'A1.1');
    expect(performed).to.have.lengthOf(4);
    // If the SSH frames that carry captured frames were captured too, there would be thousands.
    for (const { verdict, frames } of performed) expect([verdict, frames < 200]).to.deep.equal(['passed', true]);
  });

  test('ends with an error where somebody has one of its addresses', async (hosts) => {
    await hosts.onHost('h4', ['ip', 'address', 'add', '192.168.8.110/24', 'dev', 'eth1']);
    const file = hosts.inventory(three, { switch: { hairpin: off } });
    const argv = [main, 'run', 'A0.4', '--reporter', 'lines', '--lab', 'inventory', '--inventory', file];
    const { stdout, stderr, status } = await hosts.run([process.execPath, ...argv], { cwd: hosts.files.folder });
    expect(status).to.not.equal(0);
    expect(`${stdout}${stderr}`).to.include('00:16:3e:00:01:04 has 192.168.8.110');
  });

  test('is told in full by --dry-run, which asks no host: the commands that are then performed there', async (hosts) => {
    const file = hosts.inventory(three, { switch: { hairpin: off } });
    const options = ['--lab', 'inventory', '--inventory', file];
    for (const name of ['h1', 'h2', 'h3'] as const) hosts.setManagement(name, false);
    const dry = await hosts.run([process.execPath, main, 'run', 'A0.4', 'A1.4', '--dry-run', ...options], {
      cwd: hosts.files.folder,
    });
    expect(dry.status, dry.stderr).to.equal(0);
    for (const name of ['h1', 'h2', 'h3'] as const) hosts.setManagement(name, true);
    expect(dry.stdout).to.match(/A1\.4 .*: skipped: needs the switch’s port of node1 to reflect/);
    const told = dry.stdout.split('\n').filter((line) => / node1\$ ip /.test(line));
    const { folder, records } = await run(hosts, options, ['A0.4']);
    const evidence = records[0]?.evidence.find(({ kind }) => kind === 'commands');
    const performed = readFileSync(join(folder, evidence?.file ?? ''), 'utf8').split('\n');
    const plain = (line: string) =>
      line
        .replace(/^.*?\$ /, '')
        .replace(/ -n \S+/, '')
        .replace(/02:6d(:[0-9a-f]{2}){4}/g, 'MAC');
    const changes = performed.filter((line) => /^\$ ip (link (add|set)|address add)/.test(line)).map(plain);
    expect(changes).to.have.lengthOf(6);
    expect(told.map(plain)).to.include.members(changes);
    expect(dry.stdout).to.not.include('PRIVATE KEY');
  });

  sideBySide(atOnce, tests);
});
