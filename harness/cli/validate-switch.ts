/** `macvlab validate-switch`: does the switch port that a host's NIC hangs on reflect? */
import { resolve } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import { formatError, MacvlabError } from '../core/error.js';
import type { PortAsked, PortReportFolder } from '../report/port-report.js';
import type { Failure } from '../run/record.js';
import { untilInterrupted } from './interruption.js';
import { positiveNumber } from './number-argument.js';
import { remark, say } from './output.js';
import { type GivenPortOptions, hostOf, type NamedNic, peerOf, segmentsOf } from './port-arguments.js';

/** Options as commander gives them. */
interface ValidateSwitchOptions extends GivenPortOptions {
  forwardDelay: number;
  maxMacs: 1 | 2;
  out: string;
  json?: string;
  junit?: string;
}

const examples = `
Whether a switch port sends frames back to where they came from (reflective relay, hairpin on a Linux bridge): what macvlan's mode vepa
needs. The port learns two more MAC addresses: where port security allows fewer, it may shut the port down (--max-macs). Two VEPA children are made on the NIC, in namespaces of their own, and taken away again.

The last line is the answer: "reflects", "does not reflect", "reflects only …" or "cannot tell: …".
Exit codes: 0 it reflects everything in every VLAN asked about, 1 it does not, or only some, 2 wrong usage, 3 cannot tell

Examples:
  macvlab validate-switch --host root@10.0.0.11 --nic eth1 --addresses 10.0.0.240-10.0.0.250 --gateway 10.0.0.1
  macvlab validate-switch --host ops@10.0.0.11 --nic eth1 --addresses 10.0.0.0/24 --peer 10.0.0.12:eth1
                                       with a second host, at which frames that go on are seen arriving
  macvlab validate-switch --host ops@h1 --nic eth1 --vlans untagged,10 --addresses 10.0.0.0/24 --gateway 10.0.0.1 \\
                          --addresses 10=10.10.0.0/24 --gateway 10=10.10.0.1`;

/** Adds the command. */
export function addValidateSwitch(program: Command): void {
  program
    .command('validate-switch')
    .description('find out whether a host’s switch port reflects, as mode vepa needs it')
    .requiredOption('--host <host>', '[user@]host whose port it is; reached by ssh, as root or with sudo')
    .requiredOption('--nic <name>', 'its network card')
    .requiredOption('--addresses <range>', '[VLAN=]subnet, or first-last: IPv4 addresses that may be used', collect)
    .option('--gateway <address>', '[VLAN=]address of the router there, who must answer', collect)
    .option('--peer <host:nic>', 'another host on the segment, [user@]host:nic, reached in the same way')
    .option('--vlans <list>', 'VLANs, and `untagged`: untagged,10,20 (default: untagged)')
    .option('--identity <file>', 'the private key to log in with')
    .option('--known-hosts <file>', 'known_hosts file, in place of your own')
    .option('--port <number>', 'port of sshd there', positiveNumber)
    .option('--jump <hosts>', 'hosts on the way, as `ssh -J` takes them')
    .option(
      '--forward-delay <seconds>',
      'how long spanning tree may keep a port in listening, and again in learning',
      seconds,
      15,
    )
    .option('--max-macs <number>', 'MAC addresses that the port may learn beside the NIC’s own: 1 or 2', oneOrTwo, 2)
    .option('--out <folder>', 'where the report’s own folder is made', 'reports')
    .option('--json <file>', 'the report, also there; - is standard output')
    .option('--junit <file>', 'the report as JUnit, also there; - is standard output')
    .addHelpText('after', examples)
    .action(async (given: ValidateSwitchOptions) => {
      const [host, peer, segments] = [hostOf(given), peerOf(given), segmentsOf(given)];
      const { out, forwardDelay, maxMacs } = given;
      if (given.json === '-' && given.junit === '-') {
        throw new MacvlabError('USAGE', '--json and --junit cannot both be written to standard output', {
          next: 'name a file for one of them',
        });
      }
      const signal = untilInterrupted('what was made on the hosts is taken away');
      const [{ PortReportFolder }, { failureRecord }, { statement }, { segmentName }] = await Promise.all([
        import('../report/port-report.js'),
        import('../run/failure.js'),
        import('../switch-port/validate.js'),
        import('../switch-port/answer.js'),
      ]);
      const folder = new PortReportFolder(resolve(out), process.argv.slice(2), {
        ...(given.json !== undefined && { json: fileOf(given.json) }),
        ...(given.junit !== undefined && { junit: fileOf(given.junit) }),
      });
      // What a program reads from standard output, a person does not.
      const tell = given.json === '-' || given.junit === '-' ? remark : say;
      const delays = { usual: 1000 * forwardDelay, longest: 1000 * Math.max(forwardDelay, forwardDelay > 0 ? 30 : 0) };
      remark(
        `${describe(host)}${peer ? `, with ${describe(peer)}` : ''}: ${segments.map(({ vlan }) => segmentName(vlan)).join(', ')}`,
      );
      remark(...statement(segments.length, { forwardDelay: delays, maxMacs, peer: peer !== undefined }));
      const { validateHosts } = await import('./validate-hosts.js');
      const request = { host, peer, segments, forwardDelay: delays, maxMacs, signal };
      const { validation, about } = await validateHosts(request, remark).catch((error: unknown): never => {
        const asked = { host: host.address.name, nic: host.nic, vlans: segments.map(({ vlan }) => vlan) };
        reportError(folder, failureRecord(error), asked);
        throw error;
      });
      const { files, lines } = folder.write(validation, about);
      tell(...lines, '', ...files, '', validation.words);
      process.exitCode = validation.exit;
    });
}

/** Writes what is read by machines of an error that is told in any case, whether or not it can be written. */
function reportError(folder: PortReportFolder, failure: Failure, asked: PortAsked): void {
  try {
    remark(...folder.writeError(failure, asked).files);
  } catch (error) {
    remark(formatError(error));
  }
}

function fileOf(name: string): string {
  return name === '-' ? name : resolve(name);
}

function describe({ address, nic }: NamedNic): string {
  return `${nic} of ${address.name}`;
}

function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}

function oneOrTwo(value: string): 1 | 2 {
  if (value === '1') return 1;
  if (value === '2') return 2;
  throw new InvalidArgumentError('Give 1 or 2.');
}

function seconds(value: string): number {
  const number = Number(value);
  if (value !== '' && Number.isFinite(number) && number >= 0 && number <= 300) return number;
  throw new InvalidArgumentError('Give seconds, 0 to 300.');
}
