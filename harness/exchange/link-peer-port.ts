/**
 * A port of a hardware switch, which cannot be captured. It is observed at the other end of its link: a frame that a node's NIC sends counts
 * as received by the port, and a frame that the NIC receives counts as sent by the port. There is one exception: in mode bridge, the
 * parent's tap shows frames between siblings as incoming, although no link carried them (macvlan_queue_xmit, dev_forward_skb).
 */
import type { Capture } from '../wire/capture.js';
import type { CapturePoint, View } from '../wire/capture-point.js';

/** A switch port for experiments: all its frames, or those of one direction. */
export type Port = View & Pick<CapturePoint, 'in' | 'out'>;

export class LinkPeerPort implements Port {
  /** "switch/node1, from node1/eth1" */
  readonly label: string;
  readonly #name: string;
  readonly #near: CapturePoint;

  /**
   * @param node the node at the other end
   * @param near the capture point of the node's NIC, with separate directions
   */
  constructor(node: string, near: CapturePoint) {
    this.#name = `switch/${node}`;
    this.#near = near;
    this.label = `${this.#name}, from ${near.label}`;
  }

  /** @throws MacvlabError CAPTURE_ENDED when the capture at the other end has ended */
  get captures(): readonly Capture[] {
    return this.#near.captures;
  }

  /** Frames that the node has sent to the port. */
  get in(): View {
    return this.#view('in', this.#near.out);
  }

  /** Frames that the node has received from the port. */
  get out(): View {
    return this.#view('out', this.#near.in);
  }

  #view(direction: string, near: View): View {
    return {
      label: `${this.#name} ${direction}, from ${near.label}`,
      near: near.label,
      get captures() {
        return near.captures;
      },
    };
  }
}
