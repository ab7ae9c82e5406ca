/** The switch between the nodes: a Linux bridge with one port per cable. */
import { apply } from '../link/change.js';
import { type BridgePortFlag, setBridgePortFlag } from '../link/bridge-port.js';
import type { NetworkStack } from '../remote/network-stack.js';
import { CapturePoint } from '../wire/capture-point.js';
import type { Scopes } from './scopes.js';

export class Switch {
  readonly name = 'switch';
  readonly stack: NetworkStack;
  readonly ports: ReadonlyMap<string, CapturePoint>;
  readonly #scopes: Scopes;

  /** @param ports the switch's interfaces, named after who is at the other end */
  constructor(stack: NetworkStack, ports: readonly string[], scopes: Scopes) {
    this.stack = stack;
    this.#scopes = scopes;
    this.ports = new Map(ports.map((name) => [name, new CapturePoint(stack, name, ['in', 'out'])]));
  }

  /** The port towards a node. */
  port(name: string): CapturePoint {
    const port = this.ports.get(name);
    if (!port)
      throw new TypeError(`the switch has no port towards ${name}; it has ${[...this.ports.keys()].join(', ')}`);
    return port;
  }

  /** Lets frames out of the port through which they came (802.1Qbg reflective relay), until the end of the current scope. */
  async hairpin(port: string, on: boolean): Promise<void> {
    await this.set(port, 'hairpin', on);
  }

  /** Sets a flag of a port, until the end of the current scope. @throws LinkError */
  async set(port: string, flag: BridgePortFlag, on: boolean): Promise<void> {
    await apply([setBridgePortFlag(this.stack, this.port(port).device, flag, on)], this.#scopes.current);
  }
}
