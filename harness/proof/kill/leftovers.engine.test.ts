import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { whyNoContainers } from '../../machine/container/engine.test-support.js';
import { skipWithoutRoot } from '../../machine/sandbox/sandbox.test-support.js';
import type { Leaving } from './leave.test-support.js';

/** The kinds of leftover, and the line that reports each. */
const kinds: Record<string, RegExp> = {
  process: /^process \d+ \(child of \d+\): sleep 600$/,
  'process in namespaces of its own': /^process \d+ \(child of \d+\): .*sleep 601$/,
  namespace: /^ip netns list of the machine: .*"left"/,
  'namespace held by a mount': /^mount of the machine: \S+ \S+\/at\/ns .* nsfs /,
  interface: /^ip link show of the machine: .*"ifname":"left0"/,
  'changed interface': /^ip link show of the machine: .*"ifname":"left1".*"mtu":1400/,
  address: /^ip address show of the machine: .*"10\.9\.0\.1"/,
  'IPv6 address': /^ip address show of the machine: .*"fd09::1"/,
  route: /^ip route show table all of the machine: .*"10\.8\.0\.0\/16"/,
  'IPv6 route': /^ip -6 route show table all of the machine: .*"fd08::\/64"/,
  rule: /^ip rule show of the machine: .*"10\.8\.0\.1"/,
  'IPv6 rule': /^ip -6 rule show of the machine: .*"fd08::1"/,
  neighbour: /^ip neighbour show of the machine: .*"10\.9\.0\.9"/,
  setting: /^setting net\/ipv4\/ip_forward of the machine: 1$/,
  mount: /^mount of the machine: \/ \S+\/at .* tmpfs left /,
  'mount above its like': /^mount of the machine: \/ \S+\/at .* tmpfs left .* \(2\)$/,
  'TCP port': /^socket .* 0100007F:1267 .* 0A /,
  'TCP port over IPv6': /^socket .*01000000:1268 .* 0A /,
  'UDP port': /^socket .* 0100007F:1269 /,
  'socket file': /^socket unix \S+\/left\.sock$/,
  'abstract lock': /^socket unix @left/,
  'temporary folder': /^temporary file \S+\/macvlab-left$/,
  'file in a folder': /^temporary file \S+\/macvlab-left\/key$/,
  'state of a lab': /^state file \S+\/left\.json$/,
  lock: /^state file \S+\/left\/node1\.1\.lock$/,
  'unfinished entry': /^unfinished in the cache: \S+\.part$/,
  'unfinished file': /^unfinished in the cache: \S+\/acceleration\.json\.12$/,
};

const ofEngine: Record<string, RegExp> = {
  'image layer': /^of the engine: \S+\/data-root\/(overlay2|vfs\/dir)\/[0-9a-f]{64}$/,
  container: /^of the engine: \S+\/data-root\/containers\/[0-9a-f]{64}$/,
  volume: /^of the engine: \S+\/data-root\/volumes\/left$/,
  'running container': /^process \d+ \(child of \d+\): \/pause$/,
  'interface of the engine': /^ip link show of the engine: .*"ifname":"left2"/,
};

describe('what a run could leave (root)', function () {
  this.timeout(240_000);
  let folder: string;

  before(function () {
    skipWithoutRoot(this);
  });
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'macvlab-left-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** The reported lines of each kind of leftover. Each is left in private namespaces that are removed with it. */
  function leftOf(engine: boolean): Map<string, string[]> {
    const program = fileURLToPath(new URL('leave.test-support.js', import.meta.url));
    const namespaces = ['--pid', '--fork', '--kill-child', '--mount-proc', '--mount', '--net', '--uts', '--ipc'];
    const leaving: Leaving = { folder, engine };
    const argv = [...namespaces, '--propagation', 'private', '--', process.execPath, program, JSON.stringify(leaving)];
    const { stdout, stderr, status } = spawnSync('unshare', argv, { encoding: 'utf8' });
    expect(status, stderr).to.equal(0);
    const told = stdout.trim().split('\n');
    return new Map(
      told.map((line) => {
        const { kind, left } = JSON.parse(line) as { kind: string; left: string[] };
        return [kind, left];
      }),
    );
  }

  function expectEach(left: Map<string, string[]>, kinds: Record<string, RegExp>): void {
    expect([...left.keys()]).to.deep.equal(Object.keys(kinds));
    for (const [kind, told] of Object.entries(kinds))
      expect(
        left.get(kind)?.some((line) => told.test(line)),
        `${kind}: ${left.get(kind)?.join('\n')}`,
      ).to.equal(true);
  }

  it('is seen, each kind of it by itself', () => expectEach(leftOf(false), kinds));

  const why = whyNoContainers();
  it(`is seen in a container engine as well${why}`, function () {
    if (why) this.skip();
    expectEach(leftOf(true), ofEngine);
  });
});
