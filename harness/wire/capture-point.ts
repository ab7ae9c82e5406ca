/** A capture point: an interface on a node where tcpdump listens, if necessary with separate directions. */
import { MacvlabError } from '../core/error.js';
import type { NetworkStack } from '../remote/network-stack.js';
import { Capture, type Direction, nextOrder, type Sighting } from './capture.js';

/** A time in a run, which separates earlier frames from later ones. */
export interface Mark {
  order: number;
  /** Microseconds since the epoch. */
  time: number;
}

/** Now, as a mark. */
export function mark(): Mark {
  return { order: nextOrder(), time: Date.now() * 1000 };
}

/**
 * Whether a frame was captured after a mark: neither decoded before it, nor captured before it and decoded late. On a machine with its own
 * clock, a frame captured immediately before the mark may count as later. This error is smaller than the round-trip time of a command.
 */
export function isAfter({ order, frame, timeError }: Sighting, since: Mark): boolean {
  return order >= since.order && frame.time + timeError >= since.time;
}

/** A place where frames are seen: a capture point, or one direction of it. */
export interface View {
  /** "switch/node1 in" */
  readonly label: string;
  /** The actual capture point, if it is the other end of the link: "node1/eth1 out". */
  readonly near?: string;
  readonly captures: readonly Capture[];
}

export class CapturePoint implements View {
  /** "switch/node1" */
  readonly label: string;
  readonly stack: NetworkStack;
  readonly device: string;
  readonly #directions: readonly Direction[];
  readonly #filter: string | undefined;
  #captures: Capture[] = [];

  /**
   * @param directions capture incoming and outgoing frames separately; a single capture of both when empty
   * @param filter the frames to capture (pcap-filter(7)); all without one
   */
  constructor(stack: NetworkStack, device: string, directions: readonly Direction[] = [], filter?: string) {
    this.label = `${stack.name}/${device}`;
    this.stack = stack;
    this.device = device;
    this.#directions = directions;
    this.#filter = filter;
  }

  /** Starts the captures. @throws MacvlabError CAPTURE_START */
  async open(promiscuous = false): Promise<void> {
    const { stack, device } = this;
    const wanted = this.#directions.length > 0 ? this.#directions : [undefined];
    this.#captures = await Promise.all(
      wanted.map((direction) =>
        Capture.open({
          name: direction ? `${this.label} ${direction}` : this.label,
          stack,
          device,
          promiscuous,
          ...(direction ? { direction } : {}),
          ...(this.#filter === undefined ? {} : { filter: this.#filter }),
        }),
      ),
    );
  }

  /** Ends the captures, and discards the captured frames. */
  close(): void {
    for (const capture of this.#captures) capture.close();
    this.#captures = [];
  }

  /** Whether incoming and outgoing frames are captured separately. */
  get isDirected(): boolean {
    return this.#directions.length > 0;
  }

  get isOpen(): boolean {
    return this.#captures.length > 0;
  }

  /** All captures of this point. @throws MacvlabError CAPTURE_ENDED when no capture runs here */
  get captures(): readonly Capture[] {
    if (this.#captures.length > 0) return this.#captures;
    throw new MacvlabError('CAPTURE_ENDED', `nobody listens on ${this.label}`, {
      next: 'open the capture point before the experiment asks it',
    });
  }

  /** Frames that come in at the interface: for a switch port, the frames that left its link peer. */
  get in(): View {
    return this.#view('in');
  }

  /** Frames that go out at the interface. */
  get out(): View {
    return this.#view('out');
  }

  #view(direction: Direction): View {
    const index = this.#directions.indexOf(direction);
    if (index < 0) throw new TypeError(`${this.label} is not captured by direction`);
    const capture = () => this.captures[index];
    return {
      label: `${this.label} ${direction}`,
      get captures() {
        const own = capture();
        return own ? [own] : [];
      },
    };
  }
}

/** Frames seen in a view since a mark, oldest first by the capturing machine's clock. @throws MacvlabError CAPTURE_ENDED */
export function seen(view: View, since: Mark): Sighting[] {
  return view.captures
    .flatMap((capture) => capture.sightings.filter((sighting) => isAfter(sighting, since)))
    .sort((a, b) => a.frame.time - b.frame.time || a.order - b.order);
}
