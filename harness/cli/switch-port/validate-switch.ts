/** `macvlab validate-switch`: tests whether the switch port of a host's NIC reflects. */
import { InvalidArgumentError, type Command } from 'commander';
import { exitsWith } from '../exits-with.js';
import { positiveNumber } from '../number-argument.js';
import type { ValidateSwitchOptions } from './validate-switch-action.js';

const examples = `
Reports whether a switch port sends frames back out of the port on which they arrived (reflective relay, hairpin on a Linux bridge).
macvlan's mode vepa needs this. The command creates VEPA children on the NIC, in namespaces of their own. The port learns two more MAC
addresses. If port security allows fewer, it may shut the port down (--max-macs 1).

The last line is the answer: "reflects", "does not reflect", "reflects only …" or "cannot tell: …".
Exit codes: 0 reflects everything in every chosen VLAN, 1 does not, or only some, 2 wrong usage, 3 cannot tell

Examples:
  macvlab validate-switch --host root@10.0.0.11 --nic eth1 --addresses 10.0.0.240-10.0.0.250 --gateway 10.0.0.1
  macvlab validate-switch --host ops@10.0.0.11 --nic eth1 --addresses 10.0.0.0/24 --peer 10.0.0.12:eth1
                                       with a second host, which shows forwarded frames
  macvlab validate-switch --host ops@h1 --nic eth1 --vlans untagged,10 --addresses 10.0.0.0/24 --gateway 10.0.0.1 \\
                          --addresses 10=10.10.0.0/24 --gateway 10=10.10.0.1`;

/** Adds the command. */
export function addValidateSwitch(program: Command): void {
  program
    .command('validate-switch')
    .description('report whether a host’s switch port reflects, as mode vepa needs it')
    .requiredOption('--host <host>', '[user@]host at the port; reached by ssh, as root or with sudo')
    .requiredOption('--nic <name>', 'its NIC')
    .requiredOption('--addresses <range>', '[VLAN=]subnet, or first-last: free IPv4 addresses', collect)
    .option('--gateway <address>', '[VLAN=]address of a router or host that must answer', collect)
    .option('--peer <host:nic>', 'a second host on the segment, [user@]host:nic, reached in the same way')
    .option('--vlans <list>', 'VLANs, and `untagged`: untagged,10,20 (default: untagged)')
    .option('--identity <file>', 'the private key for the login')
    .option('--known-hosts <file>', 'known_hosts file, instead of your own')
    .option('--port <number>', 'port of sshd on the host', positiveNumber)
    .option('--jump <hosts>', 'jump hosts, as for `ssh -J`')
    .option(
      '--forward-delay <seconds>',
      'how long spanning tree may keep a port in listening, and again in learning',
      seconds,
      15,
    )
    .option(
      '--max-macs <number>',
      'MAC addresses that the port may learn in addition to the NIC’s: 1 or 2',
      oneOrTwo,
      2,
    )
    .option('--out <folder>', 'parent of the report’s folder', 'reports')
    .option('--json <file>', 'a copy of the report; - is standard output')
    .option('--junit <file>', 'a copy of the report as JUnit; - is standard output')
    .addHelpText('after', examples)
    .action(
      exitsWith(async (given: ValidateSwitchOptions) => {
        const { validateSwitch } = await import('./validate-switch-action.js');
        return validateSwitch(given);
      }),
    );
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
