/** A short listing of an exchange's frames, with capture points. */
import type { Exchange } from '../exchange/exchange.js';
import type { Sighting } from '../wire/capture.js';
import { describeFrame } from '../wire/protocol/describe.js';

/** One line per sighting: milliseconds since the first, capture point, frame. */
export function formatSightings(sightings: readonly Sighting[]): string {
  const first = sightings[0]?.frame.time ?? 0;
  const width = Math.max(0, ...sightings.map(({ at }) => at.length));
  return sightings
    .map(({ at, frame }) => {
      const time = ((frame.time - first) / 1000).toFixed(2).padStart(8);
      return `${time} ms  ${at.padEnd(width)}  ${describeFrame(frame)}`;
    })
    .join('\n');
}

/** The exchange's own frames, with its outcome. */
export function formatExchange(exchange: Exchange): string {
  const sightings = exchange.listing();
  const notes = [...aboutClocks(sightings), ...aboutAddresses(exchange)].map((line) => `\n    ${line}`).join('');
  const title = `seen of the ping from ${exchange.from.name} to ${exchange.to.name} (${exchange.target}): ${exchange.reason}`;
  return `${title}\n${sightings.length > 0 ? formatSightings(sightings) : '    no frame at all'}${notes}`;
}

/** Times of machines with their own clocks are estimates: a frame may seem to arrive before it was sent. */
function aboutClocks(sightings: readonly Sighting[]): string[] {
  const most = Math.max(0, ...sightings.map(({ timeError }) => timeError));
  if (most === 0) return [];
  return [
    `(times of different hosts are comparable to ± ${(most / 1000).toFixed(2)} ms: the order of nearby lines says nothing)`,
  ];
}

/** The addresses on the wire, where they are translated to an allowed range. */
function aboutAddresses({ network, target, from, to }: Exchange): string[] {
  const shown = [...from.addresses, ...to.addresses, target].map((cidr) => cidr.split('/')[0] ?? '');
  const pairs = network.movedAddresses.filter(([article]) => shown.includes(article));
  return pairs.length === 0 ? [] : [`(on the wire: ${pairs.map((pair) => pair.join(' is ')).join(', ')})`];
}
