/** Article 1's network, and its two containers. */
import type { Endpoint } from '../../harness/lab/endpoint.js';
import { expectMode } from './modes.js';

export const addresses = {
  node1: { addresses: ['10.211.55.18/24'] },
  node2: { addresses: ['10.211.55.10/24'] },
  router: { addresses: ['10.211.55.1/24'] },
};

/** The last digits of the two containers' addresses, which the article numbers per mode. */
const hosts = { bridge: [101, 102], private: [111, 112], vepa: [121, 122] } as const;

export type Mode = keyof typeof hosts;

/** Creates the article's children of a mode in two namespaces: promiscuous, as in the article, unless an experiment varies that. */
export async function attachContainers(
  pair: readonly [Endpoint, Endpoint],
  mode: Mode,
  promiscuous = true,
): Promise<void> {
  await Promise.all(
    pair.map((endpoint, index) =>
      endpoint.attach({ mode, promiscuous, address: `10.211.55.${hosts[mode][index]}/24` }),
    ),
  );
  expectMode(pair, mode);
}
