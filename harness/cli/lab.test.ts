import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Changes, poll } from '../core/wait.js';
import { PcapReader } from '../wire/pcap-reader.js';
import { readFileSync } from 'node:fs';
import { type Ended, macvlab } from './command-line.test-support.js';
import { needsRoot } from '../setup/needs.test-support.js';

interface Status {
  name: string;
  alive: boolean;
  keeper: { pid: number };
  nodes: { node: string; addresses: string[] }[];
}

describe('a lab that is left running', function () {
  this.timeout(120_000);
  let cwd = '';

  const call = (words: string, input = '', said?: (stderr: string) => void): Promise<Ended> =>
    macvlab(words.split(' '), { cwd, input, ...(said && { said }), env: { MACVLAB_STATE: join(cwd, 'state') } });
  const status = async () => JSON.parse((await call('lab status --json')).stdout) as Status[];

  before(function () {
    // Only root can make the sandbox's namespaces; `macvlab doctor` says the same.
    needsRoot(this);
    cwd = mkdtempSync(join(tmpdir(), 'macvlab-lab-'));
  });

  beforeEach(async () => {
    expect(await call('lab up --name first')).to.include({ status: 0, stderr: '' });
  });

  afterEach(async () => {
    await call('lab down --all');
    expect(readdirSync(join(cwd, 'state'))).to.deep.equal([]);
  });

  after(() => {
    if (cwd) rmSync(cwd, { recursive: true, force: true });
  });

  it('has its nodes, and gives its private key to nobody', async () => {
    const { stdout } = await call('lab status --json');
    expect(stdout).to.not.include('PRIVATE KEY');
    const [first] = JSON.parse(stdout) as Status[];
    expect(first).to.include({ name: 'first', alive: true });
    expect(first!.nodes.find(({ node }) => node === 'node1')!.addresses).to.include('192.168.245.168/24');
    expect((await call('lab status')).stdout).to.match(/^ {2}client +eth1 +UP +10\.8\.0\.241\/16/m);
  });

  it('runs commands, and passes on streams and exit statuses', async () => {
    const ping = await call('lab shell client -- ping -c 1 -w 10 192.168.245.168');
    expect(ping.stdout).to.include('1 received');
    expect(await call('lab shell node1 -- false')).to.include({ status: 1, stdout: '', stderr: '' });
    expect(await call('lab shell node1', 'cat /proc/net/dev >&2; exit 7')).to.include({ status: 7, stdout: '' });
    expect(await call('lab shell node2 -- wc -c', 'x'.repeat(300_000))).to.include({ stdout: '300000\n' });
    expect((await call('lab shell node1', 'kill -KILL $$')).status).to.equal(137);
  });

  it('shows frames, and writes them', async () => {
    const words = new Changes();
    let listens = false;
    const capture = call('lab capture node2 --count 2 --write node2.pcap', '', (stderr) => {
      listens = stderr.includes('listening on');
      words.notify();
    });
    await words.until(() => listens || undefined, { what: 'the capture to listen', deadline: 30_000 });
    await call('lab shell node1 -- ping -q -c 3 -w 10 -i 0.2 192.168.245.172');
    const { status: exit, stdout, stderr } = await capture;
    expect(exit).to.equal(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines).to.have.lengthOf(2);
    expect(lines[0]).to.match(/^\d\d:\d\d:\d\d\.\d{6} \S/);
    expect(stderr)
      .to.include('listening on node2/eth1')
      .and.to.match(/\d+ packets captured.*0 dropped/);
    expect(new PcapReader().push(readFileSync(join(cwd, 'node2.pcap')))).to.have.lengthOf(2);
  });

  it('says where it cannot listen', async () => {
    const { status: exit, stderr } = await call('lab capture node1 --interface eth9');
    expect(exit).to.equal(3);
    expect(stderr).to.include('CAPTURE_START').and.to.include('eth9');
  });

  it('stands beside others, each with its name', async () => {
    expect((await call('lab up --name first')).status).to.equal(2);
    const second = await call('lab up');
    expect(second.stdout).to.include('lab lab1 is running');
    const unnamed = await call('lab shell node1 -- true');
    expect(unnamed).to.include({ status: 2 });
    expect(unnamed.stderr).to.include('first, lab1');
    expect((await call('lab shell node1 --name lab1 -- true')).status).to.equal(0);
    expect((await call('lab down --name lab1')).stdout).to.equal('lab lab1 has ended\n');
    expect((await status()).map(({ name }) => name)).to.deep.equal(['first']);
  });

  it('is dead without its keeper, and then cleared away', async () => {
    const [first] = await status();
    process.kill(first!.keeper.pid, 'SIGKILL');
    await poll(async () => (await status())[0]?.alive === false || undefined, { what: 'its end', deadline: 20_000 });
    expect((await call('lab shell node1 -- true')).stderr).to.include('LAB_UNKNOWN');
    expect((await call('gc --dry-run')).stdout).to.include('would be removed');
    expect((await call('gc')).stdout).to.include('lab first is dead: its state file is removed');
  });

  it('is left alone while it runs', async () => {
    expect((await call('gc')).stdout).to.equal('lab first is running: left alone\nnothing was left behind\n');
    expect((await call('doctor')).stdout).to.match(/^kept labs +first$/m);
  });
});
