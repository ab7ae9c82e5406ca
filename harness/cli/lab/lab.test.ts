import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { Changes, poll } from '../../core/wait.js';
import { type Ended, macvlab, main } from '../command-line.test-support.js';
import { needs, needsRoot } from '../../setup/needs.test-support.js';

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
    // Only root can create the sandbox's namespaces; `macvlab doctor` reports the same.
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
    const capture = call('lab capture node2 --count 2 --write node2.pcapng', '', (stderr) => {
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
    const read = spawnSync('tcpdump', ['-n', '-r', join(cwd, 'node2.pcapng')], { encoding: 'utf8' });
    expect(read.stdout.trimEnd().split('\n'), read.stderr).to.have.lengthOf(2);
  });

  it('shows the whole lab in one stream, and ends when its reader does', async function () {
    needs(this, 'tshark');
    const script = `"$0" "$1" lab capture --all --write - | tshark -l -i - -c 8 -T fields -e frame.interface_name -e frame.packet_id`;
    const env = { ...process.env, MACVLAB_STATE: join(cwd, 'state') };
    const pipe = spawn('sh', ['-c', script, process.execPath, main], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const [words, rows] = [new Changes(), [] as string[]];
    let said = '';
    pipe.stdout.setEncoding('utf8').on('data', (text: string) => rows.push(...text.trimEnd().split('\n')));
    pipe.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      words.notify();
    });
    const ended = once(pipe, 'exit');
    const listens = () => (said.includes('listening on') && said.includes("Capturing on '-'")) || undefined;
    await words.until(listens, { what: 'the capture to listen', deadline: 30_000 });
    await call('lab shell node1 -- ping -q -c 5 -w 20 -i 0.5 192.168.245.172');
    expect(await ended).to.deep.equal([0, null]);
    expect(said).to.not.include('OUT_NOT_WRITABLE');
    const seen = rows.map((row) => row.split('\t'));
    expect(seen).to.have.lengthOf(8);
    expect(new Set(seen.map(([name]) => name)).size).to.be.above(2);
    // One frame has the same id at several points.
    expect(new Set(seen.map(([, id]) => id)).size).to.be.below(8);
  });

  it('a wrong use of capture: refused before anything begins', async () => {
    expect((await call('lab capture')).stderr).to.include('USAGE: which node is missing');
    expect((await call('lab capture nowhere')).stderr).to.include('USAGE: there is no node nowhere');
    expect((await call('lab capture --all --namespace ns1')).stderr).to.include('USAGE: --all listens everywhere');
  });

  it('a file written on a node: it is not on this machine', async () => {
    const name = `macvlab-test-${process.pid}`;
    const folders = [
      '/etc',
      '/usr/local',
      '/var',
      '/var/tmp',
      '/root',
      '/home',
      '/tmp',
      '/run',
      '/srv',
      '/',
      '/dev/shm',
    ];
    const script = `for f in "$@"; do echo x >"$f/${name}" || exit; done; ! touch /dev/${name}`;
    const written = await call('lab shell node1', `set -- ${folders.join(' ')}; ${script}`);
    expect(written.stderr).to.equal(`touch: cannot touch '/dev/${name}': Read-only file system\n`);
    expect(written.status).to.equal(0);
    // The nodes are on one machine, and have the same files.
    expect((await call(`lab shell node2 -- cat /etc/${name}`)).stdout).to.equal('x\n');
    const here = [...folders, '/dev'].map((folder) => join(folder, name)).filter((file) => existsSync(file));
    for (const file of here) rmSync(file);
    expect(here).to.deep.equal([]);
  });

  it('a user’s files: no node has them', async () => {
    const name = `macvlab-test-${process.pid}`;
    const files = ['/root', '/home', '/tmp', '/var/tmp', '/srv', '/dev/shm'].map((folder) => join(folder, name));
    try {
      for (const file of files) writeFileSync(file, 'precious');
      const { stdout, status: exit } = await call(`lab shell node1 -- ls -A ${files.map(dirname).join(' ')}`);
      expect(exit).to.equal(0);
      expect(stdout).not.to.include(name);
      await call('lab shell node1', files.map((file) => `echo spoiled >${file}\n`).join(''));
      for (const file of files) expect(readFileSync(file, 'utf8'), file).to.equal('precious');
    } finally {
      for (const file of files) rmSync(file, { force: true });
    }
  });

  it('tcpdump as everybody types it: it listens, prints and writes', async () => {
    const script = [
      'ping -q -c 1000 -i 0.1 192.168.245.172 >/dev/null &',
      'tcpdump -n -i eth1 -c 1 icmp && tcpdump -i eth1 -c 2 -w x.pcap icmp && tcpdump -n -r x.pcap',
      'status=$?; kill $!; exit $status',
    ];
    const { status: exit, stdout, stderr } = await call('lab shell node1', `cd /root\n${script.join('\n')}\n`);
    expect(exit, stderr).to.equal(0);
    expect(stdout.trimEnd().split('\n'), stderr).to.have.lengthOf(3);
    expect(stdout).to.match(/^\S+ IP 192\.168\.245\.168 > 192\.168\.245\.172: ICMP echo request/m);
  });

  it('names: each node has its own, and finds the others by theirs', async () => {
    for (const node of ['node1', 'client']) {
      expect((await call(`lab shell ${node} -- hostname`)).stdout).to.equal(`${node}\n`);
      const ping = await call(`lab shell ${node} -- ping -c 1 -w 10 node2`);
      expect(ping.stdout, ping.stderr).to.include('192.168.245.172').and.to.include(' 1 received');
    }
  });

  it('a shell on a terminal: it says where one is, and its prompt names the node', () => {
    const command = [process.execPath, main, 'lab', 'shell', 'node1'].map((word) => `'${word}'`).join(' ');
    const { stdout, status: exit } = spawnSync('script', ['-qec', command, '/dev/null'], {
      input: 'echo "bash: $BASH_VERSION"; pwd; cd /etc\nexit 7\n',
      encoding: 'utf8',
      env: { ...process.env, MACVLAB_STATE: join(cwd, 'state') },
    });
    expect(stdout).to.match(
      /^node1 of lab first: a network namespace on this machine’s own kernel; files .* in memory/m,
    );
    const bash = existsSync('/bin/bash') || existsSync('/usr/bin/bash');
    expect(stdout).to.include(bash ? 'root@node1:~# ' : 'node1:/root# ');
    expect(stdout).to.include(bash ? 'root@node1:/etc# ' : 'node1:/etc# ');
    if (bash) expect(stdout).to.match(/^bash: \d/m);
    expect(stdout).to.match(/^\/root\r?$/m);
    expect(exit).to.equal(7);
  });

  it('a child in a namespace: its frames are shown, those of an expression alone, and given to other programs', async () => {
    const steps = [
      'ip netns add ns1',
      'ip link add link eth1 name mac1 netns ns1 type macvlan mode bridge',
      'ip -n ns1 address add 192.168.245.50/24 dev mac1',
      'ip -n ns1 link set mac1 up',
    ];
    expect(await call('lab shell node1', `set -e\n${steps.join('\n')}\n`)).to.include({ status: 0, stderr: '' });
    const pinging = spawn(
      process.execPath,
      [main, 'lab', 'shell', 'node2', '--', 'ping', '-q', '-i', '0.2', '192.168.245.50'],
      {
        env: { ...process.env, MACVLAB_STATE: join(cwd, 'state') },
        stdio: 'ignore',
      },
    );
    try {
      const shown = await call('lab capture node1 --namespace ns1 --count 2 icmp');
      expect(shown.status, shown.stderr).to.equal(0);
      expect(shown.stdout).to.match(/^(\S+ ICMP .*\n){2}$/);
      expect(shown.stderr).to.include('listening on node1/ns1/mac1');
      const piped = await call(
        'lab capture node1 --namespace ns1 --interface mac1 --count 3 --write - icmp and src 192.168.245.50',
      );
      expect(piped.status, piped.stderr).to.equal(0);
      expect(piped.stderr).to.match(/3 packets captured/);
    } finally {
      pinging.kill('SIGTERM');
      await once(pinging, 'exit');
    }
    const line = '"$0" "$1" lab capture node1 --count 3 --write - arp | tcpdump -n -r - 2>/dev/null';
    const asked = call('lab shell node2 -- arping -c 5 -i 1 -I eth1 192.168.245.168');
    const read = spawnSync('bash', ['-c', line, process.execPath, main], {
      cwd,
      encoding: 'utf8',
      env: { ...process.env, MACVLAB_STATE: join(cwd, 'state') },
    });
    await asked;
    expect(read.stdout, read.stderr).to.match(/^(\S+ ARP, .*\n){3}$/);
    expect(readdirSync(cwd)).not.to.include('-');
    const unknown = await call('lab capture node1 --namespace ns9');
    expect([unknown.status, unknown.stdout]).to.deep.equal([3, '']);
    expect(unknown.stderr).to.include('there is no network namespace ns9 on node1').and.to.include('there are: ns1');
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

  it('is dead without its holder, and then cleared away', async () => {
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
