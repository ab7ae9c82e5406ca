/** The single conditions of patterns, each with its text for a failure. */
import { canonicalIp, canonicalMac } from './address.js';
import { destinationClass } from './frame.js';
import type { Frame } from './frame.js';

/** A class of destinations, or one MAC. */
export type Destination = 'unicast' | 'broadcast' | 'multicast' | (string & {});
/** The VLAN of the outermost tag, which a switch uses; `untagged` means no tag. */
export type Vlan = number | 'untagged';

/** One condition for a frame. */
export interface Condition {
  /** Its part of a pattern's description: "from 10.0.0.1". */
  words: string;
  holds(frame: Frame): boolean;
}

/** A condition for a given value; none without a value. */
type Build<T> = (label: string, wanted: T | undefined, of: (frame: Frame) => T | undefined) => Condition[];

/** The value is equal to the given one. */
export const same: Build<string | number> = (label, wanted, of) =>
  wanted === undefined ? [] : [{ words: `${label} ${wanted}`, holds: (frame) => of(frame) === wanted }];

/** The address is the given one, in any notation. */
export const sameIp: Build<string> = (label, wanted, of) =>
  same(label, wanted === undefined ? undefined : canonicalIp(wanted), of);

/** The MAC is the given one, in upper or lower case. */
export const sameMac: Build<string> = (label, wanted, of) =>
  same(label, wanted === undefined ? undefined : canonicalMac(wanted), of);

/** The flag has the given value; the words are "solicited" and "not solicited". */
export const sameFlag: Build<boolean> = (label, wanted, of) =>
  wanted === undefined ? [] : [{ words: wanted ? label : `not ${label}`, holds: (frame) => of(frame) === wanted }];

/** The frame is sent by this MAC. */
export function sourceMac(label: string, wanted: string | undefined): Condition[] {
  return sameMac(label, wanted, (frame) => frame.ethernet?.source);
}

/** The frame is sent to this MAC or class of MACs. */
export function destination(label: string, wanted: Destination | undefined): Condition[] {
  if (wanted === 'unicast' || wanted === 'broadcast' || wanted === 'multicast') {
    const holds = ({ ethernet }: Frame): boolean => !!ethernet && destinationClass(ethernet.destination) === wanted;
    return [{ words: `${label} ${wanted}`, holds }];
  }
  return sameMac(label, wanted, (frame) => frame.ethernet?.destination);
}

/**
 * The frame's outermost tag is this VLAN's, or it has none.
 * @throws TypeError for a number that no tag can hold
 */
export function vlan(wanted: Vlan | undefined): Condition[] {
  if (wanted === undefined) return [];
  if (wanted === 'untagged') return [{ words: 'untagged', holds: (frame) => frame.vlans.length === 0 }];
  if (!Number.isInteger(wanted) || wanted < 0 || wanted > 4095) throw new TypeError(`not a VLAN: ${wanted}`);
  return [{ words: `vlan ${wanted}`, holds: (frame) => frame.vlans[0]?.id === wanted }];
}

/**
 * The echo's data contains these bytes (hex) in its stored part: the first 64 bytes.
 * @throws TypeError when it is not hex, or too long for that part
 */
export function token(wanted: string | undefined): Condition[] {
  if (wanted === undefined) return [];
  if (!/^([0-9a-f]{2}){1,48}$/i.test(wanted)) throw new TypeError(`not a token of 1 to 48 bytes in hex: "${wanted}"`);
  const bytes = Buffer.from(wanted, 'hex');
  const holds = ({ icmp }: Frame): boolean => {
    if (!icmp?.payload) return false;
    const { buffer, byteOffset, byteLength } = icmp.payload;
    return Buffer.from(buffer, byteOffset, byteLength).includes(bytes);
  };
  return [{ words: `token ${wanted.toLowerCase()}`, holds }];
}
