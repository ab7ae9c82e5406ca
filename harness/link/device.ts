/** Settings of a device: up and down, promiscuous, MAC address. */
import type { NetworkStack } from '../remote/network-stack.js';
import type { Change } from './change.js';
import { parseLink, showLink } from './link-info.js';

/** Sets a device up or down; the undo restores the state before. */
export function setUp(stack: NetworkStack, device: string, up: boolean): Change<boolean> {
  return flag(stack, device, `${device}: ${word(up)}`, (on) => [on ? 'up' : 'down'], 'UP', up);
}

/** Sets a device promiscuous or not (the administrative flag; captures and macvlan have separate counters). */
export function setPromiscuous(stack: NetworkStack, device: string, on: boolean): Change<boolean> {
  return flag(
    stack,
    device,
    `${device}: promiscuous ${on ? 'on' : 'off'}`,
    (value) => ['promisc', value ? 'on' : 'off'],
    'PROMISC',
    on,
  );
}

/** Sets a device's MAC address; the undo restores the previous one. */
export function setMac(stack: NetworkStack, device: string, mac: string): Change<string> {
  const set = (address: string) => ['ip', 'link', 'set', 'dev', device, 'address', address];
  return {
    stack,
    what: `${device}: MAC ${mac}`,
    command: set(mac),
    read: showLink(device),
    value: (output) => parseLink(output)?.address,
    expected: mac.toLowerCase(),
    undo: (before) => (before === undefined || before === mac.toLowerCase() ? undefined : set(before)),
  };
}

function word(up: boolean): string {
  return up ? 'up' : 'down';
}

function flag(
  stack: NetworkStack,
  device: string,
  what: string,
  words: (on: boolean) => string[],
  name: string,
  on: boolean,
): Change<boolean> {
  const set = (value: boolean) => ['ip', 'link', 'set', 'dev', device, ...words(value)];
  return {
    stack,
    what,
    command: set(on),
    read: showLink(device),
    value: (output) => parseLink(output)?.flags.includes(name),
    expected: on,
    undo: (before) => (before === undefined || before === on ? undefined : set(before)),
  };
}
