/** The captures of a lab: every capture point, and the station whose frames pass there. */
import type { Station } from '../exchange/station.js';
import type { Capture } from '../wire/capture.js';
import type { CapturePoint, View } from '../wire/capture-point.js';
import type { Node } from './node.js';
import type { Switch } from './switch/switch.js';

export class Listening {
  readonly #nodes: readonly Node[];
  readonly #switch: Switch;

  /** @param nodes that have addresses; they lead to the capture points of their endpoints */
  constructor(nodes: readonly Node[], switched: Switch) {
    this.#nodes = nodes;
    this.#switch = switched;
  }

  /** Starts the captures on every uplink and switch port. @throws MacvlabError CAPTURE_START */
  async start(): Promise<void> {
    await Promise.all([...this.#nodes.map((node) => node.wire), ...this.#switch.points].map((point) => point.open()));
  }

  /** Does work that floods the network, with all captures closed: they would drop frames, and slow down the measurement. */
  async without<T>(work: () => Promise<T>): Promise<T> {
    const { points } = this;
    for (const point of points) point.close();
    try {
      return await work();
    } finally {
      await Promise.all(points.map((point) => point.open()));
    }
  }

  /** Every open capture point. */
  get points(): readonly CapturePoint[] {
    const stations = [...this.#nodes, ...this.#addressedEndpoints];
    return [...stations.map(({ wire }) => wire), ...this.#switch.points].filter((point) => point.isOpen);
  }

  /** Every running capture. */
  get captures(): readonly Capture[] {
    return this.points.flatMap((point) => point.captures);
  }

  /** Discards all captured frames, so that memory is bounded by one test. */
  forget(): void {
    for (const capture of this.captures) capture.forget();
  }

  /**
   * The station whose frames pass a view: at its own interface, or at its switch port.
   * @throws TypeError where no station with an address sends frames past it
   */
  ownerOf(view: View): Station {
    const stations: Station[] = [...this.#addressedEndpoints, ...this.#nodes];
    const at = (point: View | undefined) => point?.captures.some((capture) => view.captures.includes(capture));
    const owner =
      stations.find(({ wire }) => wire.isOpen && at(wire)) ??
      this.#nodes.find(({ port, addresses }) => addresses.length > 0 && at(port)) ??
      stations.find(({ port, addresses }) => addresses.length > 0 && at(port));
    if (owner) return owner;
    throw new TypeError(`no station with an address sends frames past ${view.label}`);
  }

  get #addressedEndpoints(): Station[] {
    return this.#nodes.flatMap((node) => node.endpoints).filter(({ addresses }) => addresses.length > 0);
  }
}
