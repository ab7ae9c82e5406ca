/**
 * Fuzzes a reader that is wrong for one input of many millions, with a separate branch for each step towards it. It is
 * a separate program, because each coverage check processes all loaded code.
 */
import { fuzz } from './fuzz.js';

const result = await fuzz(
  {
    name: 'hidden',
    seeds: [Buffer.from('............')],
    run: ([a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0]) => {
      if (a < 0x80) return;
      if (b >= 0x2e) return;
      if (c < 0x80) return;
      if (d >= 0x2e) return;
      if (e < 0x80) return;
      if (f >= 0x2e) return;
      if (g < 0x80) return;
      if (h < 0x2e) throw new Error('found');
    },
  },
  { seed: 1, inputs: 20_000, guided: process.argv[2] === 'guided' },
);
process.stdout.write(String(result.finding?.error));
