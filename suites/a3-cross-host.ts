/** Article 3: macvlan across two hosts, and the tcpdump output for it. */
import { expect } from '../harness/expect/expect.js';
import type { Endpoint } from '../harness/lab/endpoint.js';
import { experiment, setUp, suite } from '../harness/run/experiment.js';
import { arpReply, arpRequest, echoReply, echoRequest } from '../harness/wire/pattern.js';

const addresses = {
  node1: { addresses: ['192.168.245.168/24'] },
  node2: { addresses: ['192.168.245.172/24'] },
  // The article's physical machine, which runs the two nodes as virtual machines.
  router: { addresses: ['192.168.245.1/24'] },
};

suite('A3 macvlan across hosts', { addresses, modes: ['bridge'] }, () => {
  let docker1: Endpoint;
  let docker2: Endpoint;

  setUp(async ({ node1, node2 }) => {
    const macvlan1 = { mode: 'bridge', device: 'macvlan1' } as const;
    [docker1, docker2] = await Promise.all([
      node1.endpoint('docker1', { ...macvlan1, address: '192.168.245.180/24' }),
      node2.endpoint('docker2', { ...macvlan1, address: '192.168.245.181/24' }),
    ]);
  });

  experiment(
    'A3.1',
    'ping from docker1 on Node-1 to docker2 on Node-2: answered, also with frames of full MTU',
    { key: 'a3-ping-docker1-to-docker2' },
    async ({ lab }) => {
      expect(await lab.ping(docker1, docker2)).to.be.answered();
      // 28 bytes of headers fill the frame: no link on the path has a smaller MTU than the uplinks.
      const { mtu } = await docker1.link();
      expect(await lab.ping(docker1, docker2, { size: mtu - 28 })).to.be.answered();
    },
  );

  experiment(
    'A3.1',
    'ping from docker2 on Node-2 to docker1 on Node-1: answered',
    { key: 'a3-ping-docker2-to-docker1' },
    async ({ lab }) => {
      expect(await lab.ping(docker2, docker1)).to.be.answered();
    },
  );

  experiment(
    'A3.2',
    'ping from the physical machine to both containers: answered',
    { key: 'a3-ping-from-physical-machine' },
    async ({ lab, router: physicalMachine }) => {
      expect(await lab.ping(physicalMachine, docker1)).to.be.answered();
      expect(await lab.ping(physicalMachine, docker2)).to.be.answered();
    },
  );

  experiment(
    'A3.3',
    'ping to docker2, tcpdump on the parent of Node-2: shows ARP, then ICMP',
    { key: 'a3-capture-on-parent' },
    async ({ lab, node2 }) => {
      const ping = await lab.ping(docker1, docker2);
      const { token } = ping;
      await expect(ping).to.have.seen(arpRequest({ who: '192.168.245.181', tell: '192.168.245.180' }), node2.wire.in);
      await expect(ping).to.have.seen(arpReply({ from: '192.168.245.181', isAt: docker2.mac }), node2.wire.out);
      await expect(ping).to.have.seen(
        echoRequest({ from: '192.168.245.180', to: '192.168.245.181', token }),
        node2.wire.in,
      );
      await expect(ping).to.have.seen(
        echoReply({ from: '192.168.245.181', to: '192.168.245.180', token }),
        node2.wire.out,
      );
      const order = ping.own(node2.wire).map(({ frame }) => frame.arp?.operation ?? frame.icmp?.kind);
      // In the order of their first appearance: a kernel may repeat a request after a delay.
      expect([...new Set(order)]).to.deep.equal(['request', 'reply', 'echo request', 'echo reply']);
    },
  );

  experiment(
    'A3.4',
    'ping to docker2, tcpdump inside docker2: shows the same ICMP',
    { key: 'a3-capture-in-container' },
    async ({ lab }) => {
      const ping = await lab.ping(docker1, docker2);
      const { token } = ping;
      await expect(ping).to.have.seen(
        echoRequest({ from: '192.168.245.180', to: '192.168.245.181', token }),
        docker2.wire,
      );
      await expect(ping).to.have.seen(
        echoReply({ from: '192.168.245.181', to: '192.168.245.180', token }),
        docker2.wire,
      );
      const [request] = ping.own(docker2.wire).filter(({ frame }) => frame.icmp?.kind === 'echo request');
      expect(request?.frame.ipv4?.ttl).to.equal(64);
      await expect(ping).to.have.seenTimes(1, echoRequest({ token }), docker2.wire);
      await expect(ping).to.have.seenTimes(1, echoReply({ token }), docker1.wire);
    },
  );

  experiment(
    'A3.5',
    'ping to docker2, ARP on parent and child: the request is broadcast, and the reply is unicast',
    { key: 'a3-arp-addressing' },
    async ({ lab, node2, switch: sw }) => {
      const ping = await lab.ping(docker1, docker2);
      expect(ping).to.be.answered();
      const request = { who: '192.168.245.181', tell: '192.168.245.180' };
      await expect(ping).to.have.seen(arpRequest({ ...request, to: 'broadcast' }), node2.wire.in, docker2.wire);
      await expect(ping).to.have.seen(arpReply({ isAt: docker2.mac, to: docker1.mac }), docker2.wire, node2.wire.out);
      await expect(ping).not.to.have.seen(arpReply({ to: 'broadcast' }), docker2.wire, node2.wire.out);
      // The request is a broadcast, and the reply reaches only docker1: the switch has learned docker1's port from the
      // request.
      await expect(ping).to.have.seen(arpRequest({ ...request, to: 'broadcast' }), sw.port('router').out);
      await expect(ping).not.to.have.seen(arpReply({ to: docker1.mac }), sw.port('router').out);
      await expect(ping).to.have.seenTimes(1, arpRequest(request), docker2.wire);
    },
  );

  experiment(
    'A3.6',
    'ping to docker2, frames on the wire: have the MAC of the child, not the MAC of the node',
    { key: 'a3-child-mac' },
    async ({ lab, node1, switch: sw }) => {
      const ping = await lab.ping(docker1, docker2);
      expect(docker1.mac).not.to.equal(node1.mac);
      await expect(ping).to.have.seen(echoRequest({ token: ping.token, sourceMac: docker1.mac }), sw.port('node1').in);
      await expect(ping).to.have.seen(echoReply({ token: ping.token, sourceMac: docker2.mac }), sw.port('node2').in);
      await expect(ping).to.have.seen(arpRequest({ senderMac: docker1.mac, from: docker1.mac }), sw.port('node1').in);
      await expect(ping).not.to.have.seen(
        echoRequest({ token: ping.token, sourceMac: node1.mac }),
        sw.port('node1').in,
      );
    },
  );
});
