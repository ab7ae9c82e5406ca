/** Whether a stack forwards packets for other hosts. */
import type { NetworkStack } from '../remote/network-stack.js';
import type { Change } from './change.js';

const ipv4 = '/proc/sys/net/ipv4/ip_forward';
const ipv6 = '/proc/sys/net/ipv6/conf/all/forwarding';
const script = `echo "$1" >${ipv4} && { [ ! -e ${ipv6} ] || echo "$1" >${ipv6}; }`;

/** Makes a stack a router for both versions of IP, or not. */
export function setForwarding(stack: NetworkStack, on: boolean): Change<boolean> {
  const set = (value: boolean) => ['sh', '-c', script, 'sh', value ? '1' : '0'];
  return {
    stack,
    what: `forwarding ${on ? 'on' : 'off'}`,
    command: set(on),
    read: ['cat', ipv4],
    value: (output) => output.trim() === '1',
    expected: on,
    undo: (before) => (before === undefined || before === on ? undefined : set(before)),
  };
}
