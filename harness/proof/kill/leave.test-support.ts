/**
 * Leaves one of each kind of leftover that a run could leave. After each, it prints the lines that have become visible,
 * as a line of JSON with the kind and the new lines. The caller runs it in private namespaces, with a {@link Leaving}
 * as JSON.
 */
import { execFileSync, spawn } from 'node:child_process';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { pauseImage, pauseProgram } from '../../engine/pause-image.js';
import { importImage } from '../../machine/container/containers.js';
import { Engine } from '../../machine/container/engine.js';
import { startEngine } from '../../setup/engine.mjs';
import { leftoversOn } from './leftovers.js';

export interface Leaving {
  folder: string;
  /** Whether to leave it in an engine that is started for it, instead of on the machine. */
  engine: boolean;
}

const { folder, engine: withEngine } = JSON.parse(process.argv[2] ?? '') as Leaving;
const own = withEngine ? await startEngine() : undefined;
const places = {
  temporary: join(folder, 'tmp'),
  state: join(folder, 'state'),
  cache: join(folder, 'cache'),
  ...(own && { engine: dirname(new URL(own.host).pathname) }),
};
for (const each of [places.temporary, places.state, places.cache, join(folder, 'at')]) mkdirSync(each);
// Named namespaces have their files in /run, which is private from here on.
sh('mount -t tmpfs tmpfs /run; mkdir /run/netns; ip link set lo up');

function sh(script: string): void {
  execFileSync('sh', ['-e', '-c', script], { cwd: folder, stdio: 'inherit' });
}

const goOn = (...argv: string[]) => spawn(argv[0] ?? '', argv.slice(1), { stdio: 'ignore', detached: true }).unref();
const listen = async (...at: [object] | [string]) => once(createServer().listen(...(at as [object])), 'listening');

const onMachine: Record<string, () => unknown> = {
  process: () => goOn('sleep', '600'),
  'process in namespaces of its own': () => goOn('unshare', '--pid', '--net', '--fork', 'sleep', '601'),
  namespace: () => sh('ip netns add left'),
  'namespace held by a mount': () => sh('touch at/ns; unshare --net mount --bind /proc/self/ns/net at/ns'),
  interface: () => sh('ip link add left0 type veth peer name left1'),
  'changed interface': () => sh('ip link set left1 mtu 1400'),
  address: () => sh('ip address add 10.9.0.1/24 dev left0'),
  'IPv6 address': () => sh('ip address add fd09::1/64 dev left0'),
  route: () => sh('ip route add blackhole 10.8.0.0/16 table 77'),
  'IPv6 route': () => sh('ip -6 route add blackhole fd08::/64'),
  rule: () => sh('ip rule add from 10.8.0.1 table 77'),
  'IPv6 rule': () => sh('ip -6 rule add from fd08::1 table 77'),
  neighbour: () => sh('ip neighbour add 10.9.0.9 lladdr 02:00:00:00:00:09 nud permanent dev left0'),
  setting: () => sh('echo 1 >/proc/sys/net/ipv4/ip_forward'),
  mount: () => sh('mount -t tmpfs left at'),
  'mount above its like': () => sh('mount -t tmpfs left at'),
  'TCP port': () => listen({ port: 4711, host: '127.0.0.1' }),
  'TCP port over IPv6': () => listen({ port: 4712, host: '::1' }),
  'UDP port': async () => once(dgram.createSocket('udp4').bind(4713, '127.0.0.1'), 'listening'),
  'socket file': () => listen(join(folder, 'left.sock')),
  'abstract lock': () => listen('\0left'),
  'temporary folder': () => mkdirSync(join(places.temporary, 'macvlab-left')),
  'file in a folder': () => writeFileSync(join(places.temporary, 'macvlab-left/key'), ''),
  'state of a lab': () => writeFileSync(join(places.state, 'left.json'), '{}'),
  lock: () => {
    mkdirSync(join(places.state, 'left'));
    writeFileSync(join(places.state, 'left/node1.1.lock'), '{}');
  },
  'unfinished entry': () => mkdirSync(join(places.cache, 'left.12-x.part')),
  'unfinished file': () => writeFileSync(join(places.cache, 'acceleration.json.12'), ''),
};

function inEngine(engine: Engine): typeof onMachine {
  const file = join(folder, 'image.tar');
  writeFileSync(file, pauseImage());
  const create = (name: string, more: object = {}) =>
    engine.ask({
      ...{ what: 'create a container', method: 'POST', path: '/containers/create', query: { name } },
      body: { Image: 'left:1', Cmd: [pauseProgram], HostConfig: { NetworkMode: 'none', ...more } },
    });
  return {
    'image layer': async () => importImage(engine, file, 'left', '1'),
    container: async () => create('made'),
    volume: async () =>
      engine.ask({ what: 'create a volume', method: 'POST', path: '/volumes/create', body: { Name: 'left' } }),
    'running container': async () =>
      engine.askText({ what: 'start a container', method: 'POST', path: '/containers/made/start' }),
    'interface of the engine': () =>
      sh(
        'pid=$(for each in /proc/[0-9]*; do [ "$(cat $each/comm)" != dockerd ] || echo ${each#/proc/}; done | head -n 1); nsenter --net --target $pid ip link add left2 type veth peer name left3',
      ),
  };
}

const kinds = own ? inEngine(new Engine({ host: own.host, origin: 'a test' })) : onMachine;
let before = leftoversOn(places);
for (const [kind, leave] of Object.entries(kinds)) {
  await leave();
  const after = leftoversOn(places);
  process.stdout.write(`${JSON.stringify({ kind, left: [...after].filter((line) => !before.has(line)) })}\n`);
  before = after;
}
await own?.stop();
process.exit(0);
