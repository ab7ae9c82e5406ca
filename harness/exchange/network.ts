/** The interface of the network that an exchange needs. A lab implements it; a unit test implements it with recorded captures. */
import type { Capture } from '../wire/capture.js';
import type { Mark, View } from '../wire/capture-point.js';
import type { Station } from './station.js';

export interface ExchangeNetwork {
  readonly ledger: {
    /** Exchanges that have ended, as far as their frames are still available. */
    readonly exchanges: readonly { readonly since: Mark }[];
    /** The number of pings that have begun and not ended. */
    readonly underWay: number;
    /** The order of the first frame that captures still have. */
    readonly knownFrom: number;
  };
  readonly listening: {
    /** Every running capture. */
    readonly captures: readonly Capture[];
    /** The station whose frames pass a view. @throws TypeError where no station with an address sends frames past it */
    ownerOf(view: View): Station;
  };
  /** Stations that a witness can be sent to and from, in order of preference. */
  readonly witnesses: readonly Station[];
  readonly switch: Reflection;
  /** Addresses of the suites that real hosts replace by others: [address in the suite, address on the network]. */
  readonly movedAddresses: readonly (readonly [string, string])[];
  /** Round-trip time of a command in milliseconds. */
  readonly roundTrip: number;
  /** See `Machines.lateness`; undefined for the usual bound. */
  readonly lateness: number | undefined;
  /** The deadline in milliseconds for an action in this network; see `Session.timeout`. */
  timeout(milliseconds: number): number;
  /** Empties the neighbour caches of stations, so that the next packet needs ARP or neighbour discovery. */
  forgetNeighbours(stations: readonly Station[]): Promise<void>;
}

/** Whether the switch reflects: sends frames back out of the port on which they arrived. */
export interface Reflection {
  /** @throws MissingPrerequisite where the port does not reflect as it was set, or where that is unknown */
  requireKnownReflection(port: string): void;
  /** The claim of the inventory; undefined if macvlab reads the state from the switch. */
  claimedReflection(port: string): boolean | undefined;
}
