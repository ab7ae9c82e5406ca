/** Versions of the tools that a lab's machine uses, for the record of a run. */
import type { Session } from '../remote/session.js';

const commands: Record<string, { argv: string[]; version: RegExp }> = {
  iproute2: { argv: ['ip', '-V'], version: /iproute2-([^\s,]+)/ },
  tcpdump: { argv: ['tcpdump', '--version'], version: /tcpdump version (\S+)/ },
  libpcap: { argv: ['tcpdump', '--version'], version: /libpcap version (\S+)/ },
  ping: { argv: ['ping', '-V'], version: /iputils[- ](\S+)/ },
};

/** Name to version. A tool that reports no version is left out. */
export async function toolVersions(machine: Session): Promise<Record<string, string>> {
  const results = await machine.batch(Object.values(commands).map(({ argv }) => ({ argv, mayFail: true })));
  const found = Object.entries(commands).map(([name, { version }], index) => [
    name,
    version.exec(`${results[index]?.stdout}${results[index]?.stderr}`)?.[1],
  ]);
  return Object.fromEntries(found.filter(([, version]) => version !== undefined)) as Record<string, string>;
}
