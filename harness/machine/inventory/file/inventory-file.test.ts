import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { MacvlabError } from '../../../core/error.js';
import { readInventory } from './inventory-file.js';

const plain = `machines:
  node1: { host: 10.0.0.11, user: ops, nic: eth1 }
  node2: { host: 10.0.0.12, user: root, nic: enp3s0f1 }
addresses: articles
`;

describe('an inventory', () => {
  const folder = mkdtempSync(join(tmpdir(), 'macvlab-inventory-'));
  const file = join(folder, 'inventory.yaml');
  after(() => rmSync(folder, { recursive: true }));

  const read = (text: string) => {
    writeFileSync(file, text);
    return readInventory(file);
  };

  it('needs no more than two hosts, their cards and which addresses may be used', () => {
    const { machines, addresses, switch: known, bridge } = read(plain);
    expect(machines).to.deep.equal({
      node1: { address: { name: 'node1', host: '10.0.0.11', user: 'ops', sudo: true }, nic: 'eth1' },
      node2: { address: { name: 'node2', host: '10.0.0.12', user: 'root', sudo: false }, nic: 'enp3s0f1' },
    });
    expect(addresses).to.equal(undefined);
    expect(known).to.deep.equal({ hairpin: {} });
    expect(bridge).to.equal(undefined);
  });

  it('may say all that ssh takes, with paths from its own folder or from home', () => {
    const {
      machines,
      switch: known,
      bridge,
      addresses,
    } = read(`machines:
  node1: { host: "fe80::1%eth0", user: ops, port: 2222, identity: ~/.ssh/lab, sudo: false, jump: "ops@bastion:22,[::1]:23", known-hosts: ./known_hosts, nic: eth1 }
  node2: { host: two, nic: eth1 }
  router: { host: three, nic: eth1 }
addresses: [10.211.55.0/24, "2001:db8::/64"]
switch:
  hairpin: { node1: off, node2: unknown, router: on }
  vlans: [10, 20]
  native: 1
  driver:
    bridge: { host: 10.0.0.14, user: admin, device: br0, ports: { node1: swp1, node2: swp2, router: swp3 } }
`);
    expect(machines.node1.address).to.deep.equal({
      name: 'node1',
      host: 'fe80::1%eth0',
      user: 'ops',
      port: 2222,
      identity: join(homedir(), '.ssh/lab'),
      jump: 'ops@bastion:22,[::1]:23',
      knownHosts: join(folder, 'known_hosts'),
      sudo: false,
    });
    expect(machines.router?.address).to.deep.equal({ name: 'router', host: 'three', sudo: true });
    expect(addresses).to.deep.equal(['10.211.55.0/24', '2001:db8::/64']);
    expect(known).to.deep.equal({
      hairpin: { node1: false, router: true },
      vlans: [10, 20],
      native: 1,
      driver: { bridge: { device: 'br0', ports: { node1: 'swp1', node2: 'swp2', router: 'swp3' } } },
    });
    expect(bridge).to.deep.equal({ name: 'switch', host: '10.0.0.14', user: 'admin', sudo: true });
  });

  it('has the switch’s hook looked for from its own folder', () => {
    const { switch: known } = read(`${plain}switch: { driver: { command: [./hook, --quick] } }\n`);
    expect(known.driver).to.deep.equal({ command: [join(folder, 'hook'), '--quick'] });
  });

  const hostile = (nic: string) => plain.replace('nic: eth1', `nic: ${JSON.stringify(nic)}`);
  const secret = '-----BEGIN OPENSSH PRIVATE KEY-----\\nabc';

  for (const [what, text, ...words] of [
    ['no YAML', 'machines: [', 'it is not YAML'],
    ['a list', '- a\n', 'no mapping'],
    ['nothing', '', 'machines is missing'],
    ['one machine', plain.replace(/ {2}node2.*\n/, ''), 'machines.node2 is missing', 'line 1'],
    [
      'an unknown machine',
      plain.replace('addresses', '  node3: {}\naddresses'),
      'line 4',
      '"node3"',
      'keys: node1, node2, router',
    ],
    ['an unknown key', plain.replace('user: root', 'password: geheim'), 'line 3', '"password"', 'known-hosts'],
    ['no NIC', plain.replace(', nic: eth1', ''), 'line 2', 'machines.node1.nic is missing'],
    ['a NIC that is an option', hostile('-eth1'), 'line 2', '"-eth1"', 'no dash'],
    ['a NIC with a long name', hostile('abcdefghijklmnop'), '15 characters'],
    ['a NIC with a space', hostile('eth 1'), '"eth 1"'],
    ['a host that is an option', plain.replace('10.0.0.11', '-oProxyCommand=x'), 'line 2', 'machines.node1.host'],
    ['a user that is an option', plain.replace('ops', '-ops'), 'machines.node1.user'],
    ['a jump that is an option', plain.replace('user: ops', 'jump: -oX'), 'machines.node1.jump'],
    ['a key in a variable', plain.replace('user: ops', "identity: 'k/${HOME}/id'"), 'line 2', '"${"', 'given to ssh'],
    ['an escaped name', plain.replace('user: ops', "known-hosts: 'a\\b'"), 'machines.node1.known-hosts', '"\\\\"'],
    ['a port out of range', plain.replace('user: ops', 'port: 70000'), '70000', '1 to 65535'],
    ['a key itself', plain.replace('user: ops', `identity: "${secret}"`), 'a private key itself'],
    [
      'a key as one line',
      plain.replace('user: ops', "identity: '-----BEGIN OPENSSH PRIVATE KEY-----\\ngeheim'"),
      'key itself',
    ],
    ['one host twice', plain.replace('.12', '.11'), 'line 3', 'node1 and node2 are one host'],
    ['a bad network', plain.replace('articles', '[10.0.0.0/33]'), 'line 4', '10.0.0.0/33'],
    ['an address for a network', plain.replace('articles', '[10.0.0.1/24]'), 'line 4', 'the network is 10.0.0.0/24'],
    ['a VLAN out of range', `${plain}switch: { vlans: [4095] }\n`, 'line 5', '4095', '4094'],
    ['a strange hairpin', `${plain}switch:\n  hairpin: { node1: perhaps }\n`, 'line 6', 'on, off, unknown'],
    [
      'two drivers',
      `${plain}switch: { driver: { command: [a], bridge: { host: h, device: br0, ports: { node1: a, node2: b } } } }\n`,
      'two drivers',
    ],
    ['no driver', `${plain}switch: { driver: {} }\n`, 'is empty'],
    [
      'a port for two',
      `${plain}switch: { driver: { bridge: { host: h, device: br0, ports: { node1: a, node2: a } } } }\n`,
      'node1 and node2 are given one port',
    ],
    ['a key twice', plain.replace('user: ops', 'user: ops, user: ops'), 'not YAML'],
  ] as const) {
    it(`is refused with ${what}, naming the place`, () => {
      const error = errorOf(() => read(text));
      expect(error.code).to.equal('USAGE');
      expect(error.message).to.include(`inventory ${file}`);
      for (const word of words) expect(error.message).to.include(word);
      expect(error.format()).not.to.include('geheim').and.not.to.include('BEGIN OPENSSH');
    });
  }

  it('is refused in no time, however deep or wrong it is', () => {
    for (const text of ['['.repeat(100_000), '{ ? '.repeat(20_000), '- '.repeat(50_000), '*a {'.repeat(20_000)]) {
      const began = process.cpuUsage();
      const error = errorOf(() => read(text));
      expect(error.message).to.match(/^inventory \S+: it is not YAML: [^\n]+$/);
      expect(process.cpuUsage(began).user / 1000, text.slice(0, 4)).to.be.below(2000);
    }
  });

  it('is refused with a key in a folder whose name ssh would change, and with no other', () => {
    for (const [name, accepted] of [
      ["it's $5, 100% 'é 日本'", true],
      ['a "b"', false],
      ['a ${b}', false],
      ['a\\b', false],
      ['a\nb', false],
    ] as const) {
      const within = join(folder, name);
      mkdirSync(within);
      writeFileSync(join(within, 'hosts.yaml'), plain.replace('user: ops', 'identity: key'));
      const reading = () => readInventory(join(within, 'hosts.yaml')).machines.node1.address.identity;
      if (accepted) expect(reading()).to.equal(join(within, 'key'));
      else expect(errorOf(reading).message).to.include('machines.node1.identity').and.include('given to ssh');
    }
  });

  it('is as docs/inventory.md shows it', () => {
    const page = readFileSync(fileURLToPath(new URL('../../../../../docs/inventory.md', import.meta.url)), 'utf8');
    const [whole = '', ...drivers] = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, block = '']) => block);
    expect(drivers).to.have.lengthOf(2);
    for (const driver of ['', ...drivers]) {
      const text = `${whole}${driver.replaceAll(/^(?=.)/gm, '  ')}`;
      expect(read(text).switch.hairpin, text).to.deep.equal({ node1: false });
    }
  });

  it('is refused without addresses, with what to write', () => {
    const error = errorOf(() => read(plain.replace('addresses: articles\n', '')));
    expect(error.code).to.equal('USAGE');
    expect(error.next).to.include('addresses: articles').and.to.include('addresses: [10.88.0.0/26]');
    expect(error.format().match(/articles/g), 'said once').to.have.lengthOf(1);
  });

  it('addresses that no host on a segment can have: refused, with their line', () => {
    for (const network of [
      '127.0.0.0/24',
      '224.0.0.0/24',
      '169.254.7.0/24',
      '0.0.0.0/8',
      'ff02::/64',
      'fe80::/64',
      '::/64',
    ]) {
      const error = errorOf(() => read(plain.replace('addresses: articles', `addresses: [${network}]`)));
      expect(error.code).to.equal('USAGE');
      expect(error.format(), network)
        .to.include(network)
        .and.to.match(/line \d+/)
        .and.to.include('multicast or reserved');
    }
  });

  it('misspelt keys: all are named at once, each with its line and what was meant', () => {
    const text = plain
      .replace(/nic: eth1/, 'nick: eth1')
      .replace('addresses: articles', 'adresses: articles\nswitch: { hairpn: { node1: off }, colour: red }');
    const error = errorOf(() => read(text));
    const said = error.format();
    for (const words of [
      /machines\.node1 has a key "nick", which means nothing; keys: host, .*; did you mean "nic"\?$/m,
      /it has a key "adresses", which means nothing; keys: machines, addresses, switch; did you mean "addresses"\?$/m,
      /switch has a key "hairpn", which means nothing; keys: .*; did you mean "hairpin"\?$/m,
      /switch has a key "colour", which means nothing; keys: hairpin, vlans, native, driver$/m,
    ])
      expect(said).to.match(words);
    expect(said).not.to.include('nic is missing');
    expect(said.match(/line \d+/g)).to.have.lengthOf(4);
  });

  it('is refused when it is not there', () => {
    const error = errorOf(() => readInventory(join(folder, 'no.yaml')));
    expect(error.code).to.equal('USAGE');
    expect(error.message).to.include('no.yaml');
  });
});

function errorOf(work: () => unknown): MacvlabError {
  try {
    work();
  } catch (error) {
    if (error instanceof MacvlabError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}
