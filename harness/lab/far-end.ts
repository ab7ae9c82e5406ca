/**
 * A switch port that nobody can listen on, told from the other end of its cable: what leaves a node's card arrives at the port, and
 * what arrives at the card has left the port. One thing is not so: frames between children of one parent in mode bridge are shown by
 * the parent's tap as incoming, although they came from no cable (macvlan_queue_xmit, dev_forward_skb).
 */
import type { Capture } from '../wire/capture.js';
import type { CapturePoint, View } from '../wire/capture-point.js';

/** A switch port as experiments ask it: all of its frames, or those of one direction. */
export type Port = View & Pick<CapturePoint, 'in' | 'out'>;

export class FarEnd implements Port {
  /** "switch/node1, from node1/eth1" */
  readonly label: string;
  readonly #name: string;
  readonly #near: CapturePoint;

  /**
   * @param node who is at the other end
   * @param near its interface there, captured by direction
   */
  constructor(node: string, near: CapturePoint) {
    this.#name = `switch/${node}`;
    this.#near = near;
    this.label = `${this.#name}, from ${near.label}`;
  }

  /** @throws MacvlabError CAPTURE_ENDED when nobody listens at the other end */
  get captures(): readonly Capture[] {
    return this.#near.captures;
  }

  /** What has left the node behind the port. */
  get in(): View {
    return this.#view('in', this.#near.out);
  }

  /** What has come to the node behind the port. */
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
