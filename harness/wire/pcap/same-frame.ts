/** Recognizes a frame at several capture points, so that it has the same number at each. */

/** A capture point, as far as it matters for the way of a frame. */
export interface PointOfSight {
  /** "switch/node1 in" */
  readonly name: string;
  /** Absent if both directions are captured together. */
  readonly direction?: 'in' | 'out' | undefined;
}

/**
 * Microseconds after which equal bytes are another frame: less than the second after which a kernel repeats an ARP request or a neighbour
 * solicitation (RFC 4861, RETRANS_TIMER), and more than a lab delays a frame.
 */
const longestWay = 500_000;
/** How many frames are remembered before old ones are forgotten. */
const enough = 4096;
/** Bytes of a VLAN tag, which a frame gets or loses on its way. */
const tagLength = 4;
const vlanProtocols: ReadonlySet<number> = new Set([0x8100, 0x88a8, 0x9100]);
/** The smallest frame of Ethernet (IEEE 802.3, 4.2.3.3) without its checksum: a NIC pads a shorter one with zeros. */
const shortest = 60;

interface Known {
  id: number;
  lastTime: number;
  /** The points that have seen it, in order. */
  at: PointOfSight[];
}

/**
 * Numbers frames, from 1. Frames are the same if their bytes are, without VLAN tags and padding, and if their times allow it: a point that
 * captures one direction sees a frame once, so that a second sighting there is a repetition. A router makes another frame.
 */
export class FrameNumbers {
  readonly #known = new Map<string, Known[]>();
  #last = 0;

  /**
   * The number of a frame.
   * @param time microseconds since the epoch; the order of frames may differ from that of their times
   */
  numberOf(bytes: Uint8Array, time: number, point: PointOfSight): number {
    const key = keyOf(bytes);
    const alike = (this.#known.get(key) ?? []).filter(({ lastTime }) => time - lastTime < longestWay);
    const distance = ({ lastTime }: Known) => Math.abs(time - lastTime);
    const [same] = alike
      .filter((known) => distance(known) < longestWay && !repeats(known, point))
      .sort((a, b) => distance(a) - distance(b));
    if (same) {
      same.lastTime = Math.max(same.lastTime, time);
      same.at.push(point);
      return same.id;
    }
    this.#forgetBefore(time - longestWay);
    this.#last++;
    this.#known.set(key, [...alike, { id: this.#last, lastTime: time, at: [point] }]);
    return this.#last;
  }

  #forgetBefore(time: number): void {
    if (this.#known.size < enough) return;
    for (const [key, known] of this.#known) if (known.every(({ lastTime }) => lastTime < time)) this.#known.delete(key);
  }
}

/**
 * Whether a further sighting at a point is that of another frame. A point with both directions sees a frame twice if the switch reflects it:
 * it has come in again at its machine meanwhile.
 */
function repeats({ at }: Known, point: PointOfSight): boolean {
  const before = at.findLastIndex(({ name }) => name === point.name);
  if (before < 0) return false;
  const machine = machineOf(point);
  const cameBack = at.slice(before + 1).some((other) => other.direction === 'in' && machineOf(other) === machine);
  return point.direction !== undefined || !cameBack;
}

/** "node1" of "node1/ns1/eth0" */
function machineOf({ name }: PointOfSight): string {
  return name.split('/')[0] ?? name;
}

/** The bytes as text, without what changes on the way. */
function keyOf(bytes: Uint8Array): string {
  const frame = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let type = 12;
  while (frame.length >= type + tagLength + 2 && vlanProtocols.has(frame.readUInt16BE(type))) type += tagLength;
  let end = frame.length;
  if (end - type + 12 <= shortest) while (end > type + 2 && frame[end - 1] === 0) end--;
  return frame.toString('latin1', 0, 12) + frame.toString('latin1', type, end);
}
