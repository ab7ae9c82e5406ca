import { expect } from 'chai';
import { CommandLog } from '../remote/command-log.js';
import { NetworkStack } from '../remote/network-stack.js';
import type { Session } from '../remote/session.js';
import { CapturePoint } from '../wire/capture-point.js';
import { addressOf, pathBetween, type Station } from './station.js';

/** A station on a node without traffic; the test uses only its place in the network. */
function station(name: string, host: string, given: Partial<Station> = {}): Station {
  const stack = new NetworkStack(name, undefined as unknown as Session, new CommandLog());
  const wire = new CapturePoint(stack, 'eth0', name === host ? ['in', 'out'] : []);
  const port = new CapturePoint(new NetworkStack('switch', stack.session, stack.log), host, ['in', 'out']);
  return { name, host, stack, device: 'eth0', addresses: [], mac: '', wire, port, ...given };
}

const path = (from: Station, to: Station) => pathBetween(from, to).map(({ label }) => label);

describe('a station', () => {
  const dual = station('ns1', 'node1', { addresses: ['10.1.0.5/16', '2001:db8:1::5/64', '10.0.0.5/24'] });

  it('has an address of each family, or says that it has none', () => {
    expect(addressOf(dual)).to.equal('10.1.0.5');
    expect(addressOf(dual, 6)).to.equal('2001:db8:1::5');
    const old = station('ns2', 'node1', { addresses: ['10.0.0.6/24'] });
    expect(() => addressOf(old, 6)).to.throw(TypeError, 'ns2 has no IPv6 address');
  });

  it('speaks from the address that is in its peer’s subnet', () => {
    const of = (...addresses: string[]) => addressOf(dual, 4, station('peer', 'node2', { addresses }));
    expect(of('10.0.0.9/24')).to.equal('10.0.0.5');
    expect(of('10.1.9.9/16')).to.equal('10.1.0.5');
    expect(of('2001:db8:1::9/64', '10.0.0.9/24')).to.equal('10.0.0.5');
    expect(of('192.168.0.1/24')).to.equal('10.1.0.5');
    expect(of()).to.equal('10.1.0.5');
  });

  it('reaches another node through both ports of the switch', () => {
    expect(path(station('ns1', 'node1'), station('node2', 'node2'))).to.deep.equal([
      'ns1/eth0',
      'switch/node1 in',
      'switch/node2 out',
      'node2/eth0 in',
    ]);
    expect(path(station('node2', 'node2'), station('ns1', 'node1'))[0]).to.equal('node2/eth0 out');
  });

  it('reaches its sibling without leaving the parent in mode bridge alone', () => {
    const pair = (mode: string, other: string) =>
      path(station('ns1', 'node1', { mode }), station('ns2', 'node1', { mode: other }));
    expect(pair('bridge', 'bridge')).to.deep.equal(['ns1/eth0', 'ns2/eth0']);
    const reflected = ['ns1/eth0', 'switch/node1 in', 'switch/node1 out', 'ns2/eth0'];
    for (const [mode, other] of [
      ['vepa', 'vepa'],
      ['bridge', 'vepa'],
      ['private', 'bridge'],
    ] as const)
      expect(pair(mode, other), `${mode} to ${other}`).to.deep.equal(reflected);
  });

  it('reaches one on another device of its node through the switch, in mode bridge too', () => {
    const on = (name: string, parent: string) => station(name, 'node1', { mode: 'bridge', parent });
    expect(path(on('c1', 'eth1.10'), on('c2', 'eth1.10'))).to.deep.equal(['c1/eth0', 'c2/eth0']);
    expect(path(on('c1', 'eth1.10'), on('c3', 'eth1.20'))).to.deep.equal([
      'c1/eth0',
      'switch/node1 in',
      'switch/node1 out',
      'c3/eth0',
    ]);
  });

  it('that is not on the switch is reached without it', () => {
    const client = station('client', 'client', { port: undefined });
    expect(path(client, station('ns1', 'node1'))).to.deep.equal(['client/eth0 out', 'switch/node1 out', 'ns1/eth0']);
  });
});
