import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { type Ended, type HostName, type Hosts, skipWithoutHosts, startHosts } from '../lab/inventory/hosts.test-support.js';

const main = fileURLToPath(new URL('main.js', import.meta.url));

const three = { node1: 'h1', node2: 'h2', router: 'h3' } as const satisfies Record<string, HostName>;
const off = { hairpin: { node1: 'off', node2: 'off', router: 'off' } };

/** What an engineer does in the first half hour with hosts of their own, with the command lines that were typed. */
describe('first use of an inventory (needs root)', function firstUse() {
  this.timeout(300_000);
  let hosts: Hosts;

  before(async function needsRoot() {
    skipWithoutHosts(this);
    hosts = await startHosts();
  });
  after(() => hosts?.close());

  const macvlab = (...argv: string[]): Promise<Ended> =>
    hosts.run([process.execPath, main, ...argv], { cwd: hosts.files.folder });
  const on = (file: string) => ['--lab', 'inventory', '--inventory', file];

  async function neighbours(name: HostName): Promise<string> {
    return hosts.onHost(name, ['ip', 'neighbour', 'show', 'dev', 'eth1']);
  }

  it('a run was killed, then gc, then a run: gc removes the neighbours of the lab, and the run succeeds', async () => {
    const file = hosts.inventory(three, { switch: off });
    const running = hosts.start([process.execPath, main, 'run', 'A1', ...on(file), '--reporter', 'lines'], {
      cwd: hosts.files.folder,
    });
    await running.said(/^ok /m);
    running.kill('SIGKILL');
    await running.ended;
    expect(await neighbours('h1')).to.include('10.211.55.');
    const gc = await macvlab('gc', '--lab', 'inventory');
    expect(gc.status, gc.stderr).to.equal(0);
    for (const name of ['h1', 'h2'] as const) expect(await neighbours(name), name).not.to.include('10.211.55.');
    // A router that the killed run made may have asked once more.
    await hosts.onHost('h1', ['ip', 'neighbour', 'replace', '10.211.55.1', 'lladdr', '02:6d:01:02:03:04', 'nud', 'stale', 'dev', 'eth1']);
    const again = await macvlab('run', 'A1.1', ...on(file), '--reporter', 'lines');
    expect(again.stderr).not.to.include('LAB_DAMAGED');
    expect(again.status, `${again.stdout}${again.stderr}`).to.equal(0);
  });

  it('a host knows neighbours of its own on the same card: it still knows them after a run', async () => {
    const own = ['10.77.0.12', 'lladdr', '02:00:00:00:00:12', 'nud', 'stale', 'dev', 'eth1'];
    await hosts.onHost('h1', ['ip', 'address', 'add', '10.77.0.11/24', 'dev', 'eth1']);
    await hosts.onHost('h1', ['ip', 'neighbour', 'replace', ...own]);
    try {
      const { status, stderr } = await macvlab('run', ...on(hosts.inventory(three, { switch: off })), 'A0.4');
      expect(status, stderr).to.equal(0);
      expect(await neighbours('h1')).to.include('10.77.0.12 lladdr 02:00:00:00:00:12');
    } finally {
      await hosts.onHost('h1', ['ip', 'address', 'delete', '10.77.0.11/24', 'dev', 'eth1']);
    }
  });
});
