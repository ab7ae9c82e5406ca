/**
 * A program that changes hosts as a lab does, for tests that kill it. It reads commands from its input, and reports
 * each one that is done. Its argument is a {@link Task} as JSON.
 */
import { createInterface } from 'node:readline';
import { formatError } from '../../../core/error.js';
import { Scope } from '../../../core/scope.js';
import { addAddress } from '../../../link/address.js';
import { apply } from '../../../link/change.js';
import { setPromiscuous, setUp } from '../../../link/device.js';
import { addMacvlan } from '../../../link/macvlan.js';
import { addRoute } from '../../../link/route.js';
import { CommandLog } from '../../../remote/command-log.js';
import { newKeyPair } from '../../../remote/keys.js';
import { NetworkStack } from '../../../remote/network-stack.js';
import { expectDown, prepareRestoration } from '../../../lab/external/uplink-restoration.js';
import { articleNetworks } from '../../../address-plan/article-networks.js';
import { claimNic } from './claim.js';
import { guardHosts, type HostGuard } from './host-guard.js';
import { Journal, type JournalHost } from './journal.js';
import { reachToRestore } from './leftovers.js';
import { reach, type ReachedHost } from '../reach/reach.js';
import { restoreBeforehand, restoreOwn } from './restore.js';

export interface Task {
  hosts: JournalHost[];
  /** Whether the program may cut the connection to a host. */
  allowDisconnect?: boolean;
}

async function main({ hosts, allowDisconnect = false }: Task): Promise<void> {
  const keys = { host: newKeyPair(), user: newKeyPair() };
  const addresses = hosts.map(({ address }) => address);
  await restoreBeforehand(addresses, reachToRestore);
  const journal = Journal.begin(hosts);
  let guard: HostGuard | undefined;
  const scope = new Scope('the test');
  const reached: ReachedHost[] = [];
  const change = async () => {
    for (const [index, { session, name }] of reached.entries()) {
      const nic = hosts[index]?.nic ?? '';
      const stack = new NetworkStack(name, session, new CommandLog());
      await apply(
        [
          addAddress(stack, nic, `192.0.2.${index + 1}/24`),
          addRoute(stack, { to: '198.51.100.0/24', via: '192.0.2.77' }),
          setPromiscuous(stack, nic, true),
          addMacvlan(stack, { name: 'mac0', parent: nic, mode: 'bridge' }),
          setUp(stack, 'mac0', true),
        ],
        scope,
      );
    }
  };
  const does: Record<string, () => Promise<void>> = {
    begin: async () => {
      for (const { address, nic } of hosts) {
        const host = await reach(address, { keys });
        reached.push(host);
        await claimNic(host.session, nic);
        await journal.watch(host.name, host.session);
      }
    },
    'begin guarded': async () => {
      journal.end();
      for (const { address } of hosts) reached.push(await reach(address, { keys }));
      const guarded = reached.map((host, index) => ({
        reached: host,
        own: index === 0 ? ('node1' as const) : ('node2' as const),
        nic: hosts[index]?.nic,
      }));
      guard = await guardHosts(guarded, { allowDisconnect, macRange: '02:6d:00:01', networks: articleNetworks });
    },
    'end guarded': async () => {
      try {
        await guard?.end();
      } catch (error) {
        process.stdout.write(`${formatError(error)}\n`);
      }
      await Promise.all(reached.map((host) => host.close()));
      process.stdout.write(`snapshots: ${[...(guard?.snapshots.keys() ?? [])].sort().join(' ')}\n`);
      process.exit(0);
    },
    cut: async () => {
      const [{ session, name } = never()] = reached;
      const stack = new NetworkStack(name, session, new CommandLog());
      const restore = await prepareRestoration(stack, 'eth1');
      await apply([setUp(stack, 'eth1', false)], scope);
      await expectDown(stack, 'eth1').catch((error: unknown) => process.stdout.write(`${formatError(error)}\n`));
      await restore();
    },
    change,
    undo: () => scope.close(),
    end: async () => {
      await Promise.all(reached.map((host) => host.close()));
      journal.end();
      process.exit(0);
    },
    'end although lost': async () => {
      await scope.close().catch(() => process.stdout.write('the undo failed\n'));
      await Promise.all(reached.map((host) => host.close()));
      journal.end();
      await restoreOwn(journal.file, reachToRestore);
      process.exit(0);
    },
  };
  for await (const line of createInterface(process.stdin)) {
    await does[line]?.();
    process.stdout.write(`${line}: done\n`);
  }
}

function never(): never {
  throw new TypeError('there is no host');
}

main(JSON.parse(process.argv[2] ?? '') as Task).catch((error: unknown) => {
  process.stderr.write(`${formatError(error)}\n`);
  process.exit(1);
});
