/** Fuzzing targets: the output of machines that are not ours, hosts of an inventory and engines. They may send any bytes. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { Multiplexed } from '../../../machine/container/multiplexed.js';
import {
  compare,
  forgetNeighbours,
  formatSnapshot,
  notItsOwn,
  takeSnapshot,
} from '../../../machine/inventory/restore/host-snapshot.js';
import { lookAtNic } from '../../../machine/inventory/nic.js';
import { connectionIn, type ReachedHost } from '../../../machine/inventory/reach/reach.js';
import { readable, sshFailure } from '../../../machine/inventory/reach/ssh-failure.js';
import { readyIn } from '../../../remote/tether.js';
import { dependencies } from '../../../image/guest-modules.js';
import type { BatchCommand } from '../../../remote/batch.js';
import { sameClock } from '../../../remote/clock-offset.js';
import type { CommandResult, Session } from '../../../remote/session.js';
import { toolVersions } from '../../../run/tool-versions.js';
import { must, mustBeFinite, refusalOf, type Target, textTarget } from '../target.js';

/** Separates the outputs of two commands in one input. */
const between = '\u001e';

/** A session that returns these outputs, one for each command, and then empty ones. */
function saying(outputs: string[]): Session {
  const answer = (argv: readonly string[]): CommandResult => {
    return { argv, status: 0, signal: null, stdout: outputs.shift() ?? '', stderr: '', duration: 0 };
  };
  const session = {
    name: 'node1',
    clock: sameClock,
    run: (argv: readonly string[]) => Promise.resolve(answer(argv)),
    batch: (commands: readonly BatchCommand[]) => Promise.resolve(commands.map(({ argv }) => answer(argv))),
  };
  return session as unknown as Session;
}

/** A target that reads a machine's output of several commands. */
function machineTarget(
  name: string,
  outputs: readonly (readonly string[])[],
  read: (session: Session) => Promise<unknown>,
  more: Pick<Target, 'json' | 'words'> = {},
): Target {
  const words = [...(more.words ?? []), between];
  return {
    ...{ name, longest: 65_536, ...more, words },
    seeds: outputs.map((each) => Buffer.from(each.join(between))),
    run: async (input) => {
      try {
        mustBeFinite(await read(saying(Buffer.from(input).toString().split(between))));
      } catch (error) {
        refusalOf(['LINK_UNREADABLE', 'LINK_REFUSED', 'LINK_UNSUPPORTED', 'HOST_NIC'], error);
      }
    },
  };
}

const ours = { macRange: '02:6d', nic: 'eth1', networks: ['10.211.55.0/24', 'fd00::/64'] };

const link = `[{"ifindex":2,"ifname":"eth1","flags":["UP","LOWER_UP"],"mtu":1500,"operstate":"UP","link_type":"ether",
"address":"02:00:00:00:00:01","master":"br0","link":"eno1","linkinfo":{"info_slave_kind":"vrf"}}]`;
const snapshot = [
  link,
  '[{"ifname":"eth1","addr_info":[{"local":"10.0.0.1","prefixlen":24,"scope":"global","label":"eth1"}]}]',
  '[{"dst":"10.211.55.0/24","dev":"eth1","protocol":"kernel","nexthops":[{"dev":"a"}],"flags":["linkdown"]}]',
  '[{"type":"unicast","dst":"fd00::/64","dev":"eth1","metric":256,"flags":["cloned"]}]',
  '[{"priority":0,"src":"all","table":"local"}]',
  '',
  '[{"dst":"10.211.55.9","dev":"eth1","lladdr":"02:6d:00:00:00:01","state":["REACHABLE"]}]',
  '1\n',
  '0\n',
];

/** The outputs of a host with a route to a text that is not a network. */
const strange = (to: string) => ['', '', JSON.stringify([{ dst: to, dev: 'eth1' }])];

async function readSnapshot(session: Session): Promise<void> {
  const before = await takeSnapshot(session, ours);
  formatSnapshot(before);
  notItsOwn(before, ours.networks);
  must(compare(before, before).length === 0, 'it is another than itself');
  compare(before, new Map());
}

const modules = 'depends=llc,x-y\0license=GPL\0softdep=pre: macvlan tap post: z\0name=bridge\0';

const host = { name: 'node1', host: '10.0.0.11', user: 'ops', jump: 'b', identity: '/k', knownHosts: '/h', sudo: true };
const failures = [
  'Host key for 10.0.0.11 has changed and you have requested strict checking.\n',
  '@@@@@@@\n@ WARNING @\n@@@@@@@\nNo ED25519 host key is known for h and you have requested strict checking.\n',
  'Load key "/k": invalid format\nops@10.0.0.11: Permission denied (publickey).\r\n',
  'channel 0: open failed: connect failed: no\nstdio forwarding failed\n',
  'ssh: connect to host h port 22: Connection refused\nssh: Could not resolve hostname h: unknown\n',
  'macvlab: the machine lacks: tcpdump /usr/sbin/sshd (it has apt-get)\n',
  'the machine lacks: tcpdump arping (it has dnf)\nsudo: a password is required\n',
];

/** Both output streams of a command, framed as docker's engine frames them. */
function framed(...pieces: [output: number, text: string][]): Buffer {
  const parts = pieces.map(([output, said]) => {
    const header = Buffer.alloc(8);
    header[0] = output;
    header.writeUInt32BE(said.length, 4);
    return Buffer.concat([header, Buffer.from(said)]);
  });
  return Buffer.concat(parts);
}

/** The data that is read from a stream in chunks of this size. */
async function unframed(input: Uint8Array, size: number): Promise<string> {
  const socket = new PassThrough();
  const stream = new Multiplexed(socket as unknown as Socket);
  const closed = once(stream, 'close');
  let all = '';
  stream.setEncoding('utf8').on('data', (text: string) => (all += text));
  for (let at = 0; at < input.length; at += size) socket.write(input.subarray(at, at + size));
  socket.end();
  await closed;
  must(stream.words.length <= 4096, 'its words have no end');
  must(Buffer.byteLength(all) <= 3 * input.length, 'more is read than came');
  return JSON.stringify([all, stream.words]);
}

export const hostTargets: readonly Target[] = [
  machineTarget('a host’s network', [snapshot, strange('10.0.0.0/999'), strange('fade.1')], readSnapshot, {
    json: true,
  }),
  machineTarget(
    'a host’s neighbours',
    [snapshot.slice(-3, -2), ['[{"dst":"a","dev":"eth1"}]']],
    (session) => forgetNeighbours(session, ours),
    {
      json: true,
    },
  ),
  machineTarget(
    'a host’s network card',
    [[link, '', '', '[{"dst":"10.0.0.2","dev":"eth1"}]'], [link.replace('"br0"', '{"toString":1}')]],
    async (session) => {
      const connection = { from: '10.0.0.2', to: '10.0.0.11' };
      return lookAtNic({ name: 'node1', session, connection } as unknown as ReachedHost, 'eth1');
    },
    { json: true },
  ),
  machineTarget(
    'versions of tools',
    [
      [
        'ip utility, iproute2-6.1.0, libbpf 1.1.0\n',
        'tcpdump version 4.99.3\n',
        'libpcap version 1.10.3',
        'ping from iputils 20221126\n',
      ],
    ],
    async (session) => {
      const versions = Object.values(await toolVersions(session));
      for (const version of versions) must(/^\S+$/.test(version), `${version} is no version`);
    },
  ),
  textTarget('ssh’s words', failures, [], readFailure, {
    // The code stores no more than this.
    longest: 4200,
    words: ['the machine lacks: ', 'sudo: ', 'Permission denied (', '-----BEGIN PRIVATE KEY-----', '\nconnection '],
  }),
  textTarget(
    'what a host says when it is ready',
    ['connection 10.0.0.2 51234 10.0.0.11 22\nready 12 6.1.0-56\n'],
    [],
    (said) => [readyIn(said), connectionIn(said)],
  ),
  {
    name: 'a module’s own words',
    seeds: [Buffer.from(`\x7fELF\0${modules}`, 'latin1')],
    words: ['\0depends=', '\0softdep=', 'pre:', '\0'],
    longest: 65_536,
    run: (input) => must(!dependencies(Buffer.from(input)).includes(''), 'a module without a name'),
  },
  {
    name: 'the framed outputs of a command',
    seeds: [framed([1, 'out\n'], [2, 'words\n'], [1, 'é'])],
    run: async (input) => {
      const whole = await unframed(input, Math.max(1, input.length));
      for (const size of [1, 5]) must((await unframed(input, size)) === whole, `in chunks of ${size} it is another`);
    },
  },
];

function readFailure(words: string): unknown {
  const { message, next } = sshFailure(host, words);
  must(!/-----BEGIN[^\n]*PRIVATE KEY-----/.test(readable(words)), 'a private key is shown');
  return [message, next];
}
