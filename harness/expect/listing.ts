/** What was seen of an exchange, as a short listing with capture points. */
import type { Exchange } from '../lab/exchange.js';
import type { Sighting } from '../wire/capture.js';
import { describeFrame } from '../wire/describe.js';

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

/** The exchange's own frames, with what became of it. */
export function formatExchange(exchange: Exchange): string {
  const sightings = exchange.listing();
  const title = `seen of the ping from ${exchange.from.name} to ${exchange.to.name} (${exchange.target}): ${exchange.reason}`;
  return `${title}\n${sightings.length > 0 ? formatSightings(sightings) : '    no frame at all'}`;
}
