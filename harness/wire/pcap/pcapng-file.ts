/** A pcapng file that grows: one interface per capture point, frames in the order in which they are added, names of addresses. */
import { FrameNumbers } from './same-frame.js';
import {
  type CaptureInterface,
  type CapturePacket,
  type CaptureStatistics,
  enhancedPacket,
  interfaceDescription,
  interfaceStatistics,
  nameResolution,
  sectionHeader,
  type SectionText,
} from './pcapng-writer.js';

/** A file whose blocks are given to a function: it stores them, or sends them to a program that reads a stream. */
export class PcapngFile {
  readonly #write: (block: Uint8Array) => void;
  readonly #interfaces: CaptureInterface[] = [];
  readonly #directions: CapturePacket['direction'][] = [];
  readonly #names = new Set<string>();
  readonly #numbers = new FrameNumbers();

  /**
   * @param write receives the file's header at once, or later blocks if there is none
   * @param section absent if the caller writes the header (`sectionHeader`) when it knows the text
   */
  constructor(write: (block: Uint8Array) => void, section?: SectionText) {
    this.#write = write;
    if (section) write(sectionHeader(section));
  }

  /**
   * Adds a capture point. It may be later than the first frames.
   * @param direction of all its frames; absent if both are captured together
   * @returns its number for `packet` and `statistics`
   */
  interface(about: CaptureInterface, direction?: CapturePacket['direction']): number {
    this.#write(interfaceDescription(about));
    this.#directions.push(direction);
    return this.#interfaces.push(about) - 1;
  }

  /** Adds names of IP addresses and MACs, as far as they are new. */
  names(entries: readonly (readonly [address: string, name: string])[]): void {
    const fresh = entries.filter((entry) => !this.#names.has(entry.join(' ')));
    if (fresh.length === 0) return;
    for (const entry of fresh) this.#names.add(entry.join(' '));
    this.#write(nameResolution(fresh));
  }

  /**
   * Adds a frame.
   * @param packet without a direction if the interface has one
   * @returns its packet id: the same at each interface that sees the same frame
   */
  packet(packet: Omit<CapturePacket, 'packetId'>): number {
    const { interfaceId, bytes, time } = packet;
    const own = this.#directions[interfaceId];
    const name = this.#interfaces[interfaceId]?.name ?? '';
    const packetId = this.#numbers.numberOf(bytes, time, { name, direction: own });
    this.#write(enhancedPacket({ ...packet, direction: own ?? packet.direction, packetId }));
    return packetId;
  }

  /** Adds counters of an interface. */
  statistics(about: CaptureStatistics): void {
    this.#write(interfaceStatistics(about));
  }
}
