/** Makes JSON from other JSON, with values of the wrong kind, missing, duplicated, or deeply nested. */
import { choose, type Random } from './random.js';

const values: readonly unknown[] = [
  ...[null, true, false, 0, -1, 0.5, 1e21, 5e9, '', 'x', '-1', 'constructor', '../..', '\0', '\ud800', '<&>', '\n# x'],
  ...[[], {}, [[]], [null], { '': null }, { length: 5 }, { toString: 1 }, Array.from({ length: 40 }, () => ({}))],
];

/** Mutates any input. An input that is not JSON is replaced by JSON. */
export function mutateJson(input: Uint8Array, random: Random): Uint8Array {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(input).toString());
  } catch {
    value = choose(random, values);
  }
  for (let count = 1 + random(2); count > 0; count--) value = changed(value, random);
  return Buffer.from(JSON.stringify(value));
}

/** Returns the value with one nested value replaced, removed or repeated. */
function changed(value: unknown, random: Random): unknown {
  if (typeof value !== 'object' || value === null || random(6) === 0) return other(value, random);
  if (Array.isArray(value)) {
    const list = value as unknown[];
    const at = random(list.length + 1);
    if (random(5) === 0) return [...list.slice(0, at), ...list.slice(at + 1)];
    if (random(5) === 0) return [...list, ...list.slice(at)];
    return list.map((each, index) => (index === at ? changed(each, random) : each));
  }
  const entries: [string, unknown][] = Object.entries(value);
  const at = random(entries.length + 1);
  if (random(5) === 0) entries.splice(at, 1);
  else if (random(8) === 0)
    entries.push([choose(random, ['__proto__', 'constructor', '', 'more']), choose(random, values)]);
  else
    entries.splice(
      at,
      1,
      ...entries.slice(at, at + 1).map(([key, each]): [string, unknown] => [key, changed(each, random)]),
    );
  return Object.fromEntries(entries);
}

function other(value: unknown, random: Random): unknown {
  if (typeof value === 'string' && random(2) === 0) return value + choose(random, ['\n', '/../x', ' ', '0', 'é']);
  if (typeof value === 'number' && random(2) === 0) return choose(random, [-value, value + 1, value * 1e6, value / 3]);
  return random(4) === 0 ? [value] : choose(random, values);
}
