/**
 * A program that reaches hosts, one after the other, for tests that run it in another network. Its argument is a list
 * of addresses as JSON; it prints a line of JSON about each. With "stay" as a second argument, it holds a host until it
 * is killed or the host is lost.
 */
import { MacvlabError } from '../../../core/error.js';
import { newKeyPair } from '../../../remote/keys.js';
import type { HostAddress } from '../file/machine.js';
import { reach } from './reach.js';

/** The result for one host. */
export interface Reaching {
  /** Absent if it was reached. */
  error?: { code: string; message: string; evidence: string; next: string };
  release?: string;
  connection?: { from: string; to: string } | undefined;
  /** The view inside the lab: user, host’s name, network namespaces, and links in the host’s network and in a lab’s namespace. */
  inside?: string;
  /** The view outside of the lab: host’s name, the lab’s folder, and the input that was sent. */
  outside?: string;
}

const look = 'id -un; hostname; ls /run/netns; ip -o link | cut -d " " -f 2';

async function tell(address: HostAddress, stay: boolean): Promise<Reaching> {
  try {
    const keys = { host: newKeyPair(), user: newKeyPair() };
    const host = await reach(address, { keys, namespaces: ['inner'] });
    try {
      const inner = await host.connect('inner', 'inner');
      const lines = await Promise.all(
        [host.session, inner].map(async (session) => (await session.run(['sh', '-c', look])).stdout),
      );
      const outside = await host.outside(['sh', '-c', 'hostname; ls /run/macvlab 2>&1; cat'], { stdin: 'hello\n' });
      if (stay) {
        process.stdout.write('staying\n');
        await host.session.run(['sleep', '600'], { deadline: 600_000 });
      }
      const { release, connection } = host;
      return { release, connection, inside: lines.join('--\n'), outside: outside.stdout };
    } finally {
      await host.close();
    }
  } catch (error) {
    if (!(error instanceof MacvlabError)) throw error;
    const { code, message, evidence = '', next } = error;
    return { error: { code, message, evidence, next } };
  }
}

const [, program = '', addresses, word] = process.argv;
if (addresses !== undefined && import.meta.url.endsWith(program)) {
  for (const address of JSON.parse(addresses) as HostAddress[]) {
    process.stdout.write(`${JSON.stringify(await tell(address, word === 'stay'))}\n`);
  }
  process.exit(0);
}
