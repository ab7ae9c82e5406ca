/**
 * A program that changes hosts as a lab does, for tests that kill it: it reads words, and says what it has done. Its argument is
 * what it is about, as JSON.
 */
import { createInterface } from 'node:readline';
import { formatError } from '../../core/error.js';
import { Scope } from '../../core/scope.js';
import { addAddress } from '../../link/address.js';
import { apply } from '../../link/change.js';
import { setPromiscuous, setUp } from '../../link/device.js';
import { addMacvlan } from '../../link/macvlan.js';
import { addRoute } from '../../link/route.js';
import { CommandLog } from '../../remote/command-log.js';
import { newKeyPair } from '../../remote/keys.js';
import { NetworkStack } from '../../remote/network-stack.js';
import { claimNic } from './claim.js';
import { Journal, type JournalHost } from './journal.js';
import { reachToRestore } from './leftovers.js';
import { reach, type ReachedHost } from './reach.js';
import { restoreHosts, restoreOwn } from './restore.js';

export interface Task {
  hosts: JournalHost[];
}

async function main({ hosts }: Task): Promise<void> {
  const keys = { host: newKeyPair(), user: newKeyPair() };
  await restoreHosts({ reach: reachToRestore, hosts: hosts.map(({ address }) => address) });
  const journal = Journal.begin(hosts);
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

main(JSON.parse(process.argv[2] ?? '') as Task).catch((error: unknown) => {
  process.stderr.write(`${formatError(error)}\n`);
  process.exit(1);
});
