import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { pause, poll } from '../../core/wait.js';
import { TestEngine, whyNoContainers } from '../../machine/container/engine.test-support.js';
import { whyNoGuests } from '../../machine/vm/vm.test-support.js';
import { findProgram } from '../../setup/machine.mjs';
import { main } from '../command-line.test-support.js';
import { needsRoot } from '../../setup/needs.test-support.js';

/** Reads a file that may be gone. */
function reading<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** A process and all its descendants. */
function family(root: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    // proc(5): the fourth field. The second, in parentheses, may contain blanks.
    const stat = reading(() => readFileSync(`/proc/${name}/stat`, 'utf8'));
    const parent = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[1];
    if (parent !== undefined) parents.set(Number(name), Number(parent));
  }
  const found = [root];
  for (const pid of found) for (const [child, parent] of parents) if (parent === pid) found.push(child);
  return found;
}

const nsenter = findProgram('nsenter') ?? 'nsenter';

/** The listening TCP and UDP sockets in the network namespaces of these processes, by namespace. */
function listeningAt(pids: readonly number[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const pid of pids) {
    const namespace = reading(() => readlinkSync(`/proc/${pid}/ns/net`));
    if (namespace === undefined || found.has(namespace)) continue;
    const { status, stdout } = spawnSync(nsenter, ['-t', String(pid), '--net', '--', 'ss', '-Hlntup'], {
      encoding: 'utf8',
    });
    if (status === 0) found.set(namespace, stdout.trim());
  }
  return found;
}

describe('what listens for connections (needs root)', function listening() {
  this.timeout(300_000);
  let out: string;

  before(function () {
    needsRoot(this);
  });
  beforeEach(() => (out = mkdtempSync(join(tmpdir(), 'macvlab-listens-'))));
  afterEach(() => rmSync(out, { recursive: true, force: true }));

  it('is found by this test', async () => {
    const script = "ip link set lo up; exec node -e 'require(`net`).createServer().listen(4711, `::1`)'";
    const child = spawn('unshare', ['--net', 'sh', '-c', script.replace('node', `'${process.execPath}'`)]);
    try {
      const look = () =>
        Promise.resolve([...listeningAt([child.pid!]).values()].find((words) => words.includes('4711')));
      expect(await poll(look, { what: 'a listening socket', deadline: 20_000 })).to.include('[::1]:4711');
    } finally {
      child.kill('SIGKILL');
    }
  });

  for (const [lab, least, why] of [
    ['sandbox', 6, ''],
    ['vm', 1, whyNoGuests()],
    ['container', 4, whyNoContainers()],
  ] as const) {
    it(`is nothing of a run’s in a ${lab} lab, before, while and after it, in any network${why}`, async function run() {
      if (why) this.skip();
      const engine = lab === 'container' ? await TestEngine.start() : undefined;
      try {
        await refuseListening(lab, least);
      } finally {
        await engine?.stop();
      }
    });
  }

  /** @param least the minimum number of networks: the run’s; in a sandbox, those of five nodes too; with an engine, its and the containers’ too */
  async function refuseListening(lab: string, least: number): Promise<void> {
    const script = 'ss -Hlntup; "$@"; status=$?; echo "ended with $status"; ss -Hlntup';
    const words = ['run', '--lab', lab, lab === 'sandbox' ? 'A1' : 'A1.1', '--reporter', 'lines', '--out', out];
    const child = spawn('unshare', ['--net', 'sh', '-c', script, 'sh', process.execPath, main, ...words], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (more: string) => (said += more));
    let over = false;
    const closed = new Promise<void>((resolve) => child.once('close', () => resolve())).then(() => (over = true));
    const networks = new Set<string>();
    const keys: string[] = [];
    const own = readlinkSync('/proc/self/ns/net');
    while (!over) {
      // The engine is a child of this process, and containers descend from it.
      const pids = family(lab === 'container' ? process.pid : child.pid!);
      for (const [network, sockets] of listeningAt(pids)) {
        if (network === own) continue;
        networks.add(network);
        expect(sockets, `in ${network}`).to.equal('');
      }
      // Any user of this machine may read these command lines.
      for (const pid of pids) {
        const line = reading(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')) ?? '';
        if (line.includes('PRIVATE KEY')) keys.push(line);
      }
      await pause(100, closed);
    }
    expect(said).to.match(/^ended with 0\n$/m);
    const [first, ...rest] = said.split('\n');
    expect(first, 'nothing listened before').to.match(/^((guests )?run |giving the container engine the image)/);
    expect(rest.at(-2), 'nothing listens after').to.equal('ended with 0');
    expect(networks.size, 'networks that were looked at').to.be.at.least(least);
    expect(keys).to.deep.equal([]);
    expect(execFileSync('ls', [out], { encoding: 'utf8' })).to.include('latest');
  }
});
