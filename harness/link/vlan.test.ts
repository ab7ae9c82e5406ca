import { expect } from 'chai';
import { CommandLog } from '../remote/command-log.js';
import { NetworkStack } from '../remote/network-stack.js';
import type { Session } from '../remote/session.js';
import { addVlan, taggingOf } from './vlan.js';

const stack = new NetworkStack('node1', undefined as unknown as Session, new CommandLog());

/** The output of `ip -j -d link` of iproute2 6.15 for eth1.30, shortened. */
const printed =
  '[{"ifindex":5,"link":"eth1","ifname":"eth1.30","flags":["BROADCAST"],"mtu":1500,"operstate":"DOWN",' +
  '"linkinfo":{"info_kind":"vlan","info_data":{"protocol":"802.1ad","id":30,"flags":["REORDER_HDR"]}}}]';

describe('a VLAN sub-interface', () => {
  it('is made with its tag, a customer’s unless said otherwise', () => {
    const plain = addVlan(stack, { name: 'eth1.10', parent: 'eth1', id: 10 });
    expect(plain.command.join(' ')).to.equal('ip link add link eth1 name eth1.10 type vlan id 10');
    const outer = addVlan(stack, { name: 'eth1.30', parent: 'eth1', id: 30, protocol: '802.1ad' });
    expect(outer.command.join(' ')).to.equal('ip link add link eth1 name eth1.30 type vlan protocol 802.1ad id 30');
  });

  it('is read back with its tag; another kind of link has none', () => {
    const change = addVlan(stack, { name: 'eth1.30', parent: 'eth1', id: 30, protocol: '802.1ad' });
    expect(change.value?.(printed)).to.deep.equal(change.expected);
    expect(change.value?.(printed.replace('"id":30', '"id":31'))).not.to.deep.equal(change.expected);
    expect(change.value?.(printed.replace('"vlan"', '"macvlan"'))).to.equal(undefined);
    expect(taggingOf(undefined)).to.equal(undefined);
  });
});
