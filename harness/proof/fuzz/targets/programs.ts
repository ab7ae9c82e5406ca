/** Fuzzing targets: the output of a node's programs. */
import { addressesOf } from '../../../link/address.js';
import { setBridgePortFlag } from '../../../link/bridge-port.js';
import { readTable } from '../../../link/bridge-vlan.js';
import { LinkError } from '../../../link/errno.js';
import { readComplaints } from '../../../link/lines.js';
import { macvlanMode, parseLink, parseLinks } from '../../../link/link-info.js';
import { addNeighbour } from '../../../link/neighbour.js';
import { addRoute } from '../../../link/route.js';
import { parseArping } from '../../../probe/arping.js';
import { parsePing } from '../../../probe/ping.js';
import { batchScript } from '../../../remote/batch.js';
import { timeIn } from '../../../remote/clock.js';
import type { NetworkStack } from '../../../remote/network-stack.js';
import { must, mustBeFinite, type Target, textTarget, unlessRefused } from '../target.js';

/** The changes are not applied; only their read-back is tested. */
const nowhere = undefined as unknown as NetworkStack;
const readBack = [
  ['ip -j neighbour', addNeighbour(nowhere, 'eth0', '10.0.0.2', '02:00:00:00:00:02')],
  ['ip -j route', addRoute(nowhere, { to: 'default', via: '10.0.0.254' })],
  ['bridge -j link', setBridgePortFlag(nowhere, 'port1', 'hairpin', true)],
] as const;

const links = JSON.stringify([
  {},
  {
    ...{
      ifindex: 7,
      link_index: 2,
      ifname: 'mac0',
      flags: ['BROADCAST', 'UP', 'LOWER_UP'],
      mtu: 1500,
      operstate: 'UP',
    },
    ...{ address: '02:00:00:00:00:01', link_netnsid: 0, promiscuity: 0, allmulti: 0 },
    linkinfo: {
      info_kind: 'macvlan',
      info_data: { mode: 'bridge', vlan_filtering: 1 },
      info_slave_data: { hairpin: true },
    },
    addr_info: [{ family: 'inet', local: '10.0.0.1', prefixlen: 24, scope: 'global' }],
  },
]);
const shown = {
  'ip -j neighbour':
    '[{"dst":"10.0.0.2","dev":"eth0","lladdr":"02:00:00:00:00:02","state":["REACHABLE"]},{"dst":"fe80::1","state":["FAILED"]}]',
  'ip -j route':
    '[{"dst":"default","gateway":"10.0.0.254","dev":"eth0","flags":[]},{"dst":"10.0.0.0/24","dev":"eth0","scope":"link"}]',
  'bridge -j link':
    '[{"ifindex":3,"ifname":"port1","flags":["UP"],"mtu":1500,"master":"br0","state":"forwarding","hairpin":false,"flood":true}]',
};
const vlans = '[{"ifname":"port1","vlans":[{"vlan":1,"flags":["PVID","Egress Untagged"]},{"vlan":10,"vlanEnd":20}]}]';

const pinged = `PING 10.0.0.2 (10.0.0.2) 56(84) bytes of data.
64 bytes from 10.0.0.2: icmp_seq=1 ttl=64 time=0.045 ms
64 bytes from fe80::2%eth0: icmp_seq=2 ttl=64 time=12.1 ms (DUP!)
From 10.0.0.1 icmp_seq=3 Destination Host Unreachable
wrong data byte #40 should be 0x28 but was 0x29

--- 10.0.0.2 ping statistics ---
3 packets transmitted, 2 received, +1 duplicates, +1 corrupted, +1 errors, 33.3333% packet loss, time 1012ms
`;
const arpinged = `ARPING 192.168.179.9 from 192.168.179.10 eth1
Unicast reply from 192.168.179.9 [8E:80:47:5C:2E:53]  0.931ms
Sent 1 probes (1 broadcast(s))
Received 1 response(s)
`;
const complaints =
  'RTNETLINK answers: File exists\nCommand failed -:3\nObject "milestone" is unknown, try "ip help".\nCommand failed -:4\n';

/** The input contains both streams of a batch, one after the other. MARK is replaced by the batch's random mark. */
function readBatch(text: string): void {
  const commands = [{ argv: ['one'] }, { argv: ['two'], mayFail: true }, { argv: ['three'] }];
  const { script, parse } = batchScript(commands);
  const mark = /--[\w-]{12}--/.exec(script)?.[0] ?? '';
  const [stdout = '', stderr = ''] = text.replaceAll('MARK', mark).split('\u001e');
  const results = unlessRefused(['REMOTE_COMMAND'], () => parse(stdout, stderr));
  if (!results) return;
  mustBeFinite(results);
  must(results.length <= commands.length, 'there are more answers than commands');
  for (const [index, { argv }] of results.entries()) must(argv === commands[index]?.argv, 'an answer is another’s');
}

function readLinkOutput(text: string): void {
  for (const link of parseLinks(text)) mustBeFinite([macvlanMode(link), addressesOf(link)]);
  parseLink(text);
}

function readError(text: string): LinkError {
  const error = new LinkError('node1: add mac1', ['ip', 'link', 'add'], text);
  must(error.format().includes(error.code), 'it is not told');
  return error;
}

const ipRefusal = ['LINK_UNREADABLE'] as const;

export const programTargets: readonly Target[] = [
  textTarget('ip -j address', [links], ipRefusal, readLinkOutput, { json: true }),
  ...readBack.map(([name, change]) =>
    textTarget(name, [shown[name]], ipRefusal, (text) => change.value?.(text), { json: true }),
  ),
  textTarget('bridge -j vlan', [vlans, '[{"ifname":"port1","vlans":[{"vlan":4094}]}]'], ipRefusal, readTable, {
    json: true,
  }),
  textTarget('ip -batch', [complaints], [], (text) => readComplaints({ stderr: text, status: 1, signal: null }, 3)),
  textTarget(
    'ip’s refusals',
    ['RTNETLINK answers: Device or resource busy\n', 'Error: Unknown device type.\n'],
    [],
    readError,
    {
      words: ['Error: ', 'argument "', '" is wrong', 'Unknown', ' option', ' is a garbage', ' is expected rather than'],
    },
  ),
  textTarget('ping', [pinged], ['PROBE_UNREADABLE'], (text) => parsePing(text, '', 0), {
    words: [' packets transmitted, ', ' received', ' bytes from ', ' icmp_seq=', '% packet loss', ' ms'],
  }),
  textTarget('arping', [arpinged], ['PROBE_UNREADABLE'], (text) => {
    const result = parseArping(text, '');
    for (const mac of result.macs) must(/^([0-9a-f]{2}(:|$)){6}/.test(mac), `${mac} is no MAC`);
    return result;
  }),
  textTarget(
    'batch',
    [
      'out\nMARK 0\n\nMARK 3\nthree\nMARK 0\n\u001e\nMARK\nwords\nMARK\n\nMARK\n',
      '\nMARK 1\n\u001e\nMARK\n',
      '\nMARK 0\n\nMARK 127\n\u001e\nMARK\n\nMARK\n',
    ],
    [],
    readBatch,
    { words: ['\nMARK 0\n', '\nMARK\n', '\u001e'] },
  ),
  textTarget('clock', ['time.tv_sec: 1795277791\ntime.tv_usec: 12\n', '1795277791000000000\n'], [], timeIn),
];
