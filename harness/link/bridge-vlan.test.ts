import { expect } from 'chai';
import { MacvlabError } from '../core/error.js';
import { CommandLog } from '../remote/command-log.js';
import { NetworkStack } from '../remote/network-stack.js';
import type { Session } from '../remote/session.js';
import { readTable, setDefaultVlan, setPortVlans, setVlanFiltering } from './bridge-vlan.js';

const stack = new NetworkStack('switch', undefined as unknown as Session, new CommandLog());
const native = { id: 1, pvid: true, untagged: true };
const tagged = (id: number) => ({ id, pvid: false, untagged: false });

/** The output of `bridge -j vlan show dev node1` of iproute2 6.15, and its compressed form. */
const printed =
  '[{"ifname":"node1","vlans":[{"vlan":1,"flags":["PVID","Egress Untagged"]},{"vlan":10},{"vlan":11},{"vlan":20}]}]';
const compressed =
  '[{"ifname":"node1","vlans":[{"vlan":20},{"vlan":10,"vlanEnd":11},{"vlan":1,"flags":["PVID","Egress Untagged"]}]}]';

describe('VLANs of a bridge', () => {
  it('are read from both forms of the table', () => {
    const table = [native, tagged(10), tagged(11), tagged(20)];
    expect(readTable(printed)).to.deep.equal(table);
    expect(readTable(compressed)).to.deep.equal(table);
    expect(readTable('[]')).to.deep.equal([]);
  });

  it('are not read from what cannot be one', () => {
    for (const vlan of ['{"vlan":1,"vlanEnd":5000000000}', '{"vlan":4096}', '{"vlan":-1}', '{"vlan":1.5}']) {
      expect(() => readTable(`[{"ifname":"a","vlans":[${vlan}]}]`), vlan)
        .to.throw(MacvlabError)
        .with.property('code', 'LINK_UNREADABLE');
    }
  });

  it('replace those that a port had; the undo puts them back', () => {
    const change = setPortVlans(stack, 'node1', [tagged(20), native]);
    const lines = (argv: readonly string[] | undefined) => argv?.slice(4);
    expect(lines(change.command)).to.deep.equal([
      'vlan delete dev node1 vid 1-4094',
      'vlan add dev node1 vid 20',
      'vlan add dev node1 vid 1 pvid untagged',
    ]);
    expect(change.expected).to.deep.equal([native, tagged(20)]);
    expect(lines(change.undo?.([tagged(7)]))).to.deep.equal([
      'vlan delete dev node1 vid 1-4094',
      'vlan add dev node1 vid 7',
    ]);
    expect(change.undo?.(undefined), 'a port that could not be read').to.equal(undefined);
  });

  it('are filtered when that is read back, and not when the kernel shows nothing of it', () => {
    const shown = (data: object) =>
      JSON.stringify([
        {
          ...{ ifindex: 1, ifname: 'br0', flags: [], mtu: 1500, operstate: 'UP' },
          linkinfo: { info_kind: 'bridge', info_data: data },
        },
      ]);
    const filtering = setVlanFiltering(stack, 'br0', true);
    expect(filtering.value?.(shown({ vlan_filtering: 1 }))).to.equal(true);
    expect(filtering.value?.(shown({ vlan_filtering: 0 }))).to.equal(false);
    expect(filtering.value?.(shown({}))).to.equal(undefined);
    expect(filtering.undo?.(false)?.slice(-2)).to.deep.equal(['vlan_filtering', '0']);
    expect(filtering.undo?.(true)).to.equal(undefined);
    const none = setDefaultVlan(stack, 'br0', 0);
    expect(none.value?.(shown({ vlan_default_pvid: 1 }))).to.equal(1);
    expect(none.undo?.(1)?.slice(-2)).to.deep.equal(['vlan_default_pvid', '1']);
  });
});
