/** The appearance of lines on a terminal. */
import type pc from 'picocolors';
import type { Tone } from './document.js';
import { padded } from '../width.js';

export type Colours = ReturnType<typeof pc.createColors>;

/** Text in the colour of its tone. */
export function painted(text: string, tone: Tone, colours: Colours): string {
  if (tone === 'failed' || tone === 'alarm') return colours.red(text);
  if (tone === 'error') return colours.magenta(text);
  if (tone === 'skipped' || tone === 'expected') return colours.yellow(text);
  return tone === 'passed' ? colours.green(text) : colours.dim(text);
}

/** Lines on the left, none wider than `width`, and other lines beside them. */
export function besides(left: readonly string[], right: readonly string[], width: number, indent: number): string[] {
  return Array.from({ length: Math.max(left.length, right.length) }, (_, at) =>
    `${' '.repeat(indent)}${padded(left[at] ?? '', width)}  ${right[at] ?? ''}`.trimEnd(),
  );
}
