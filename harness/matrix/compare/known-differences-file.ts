/** The user's own known differences, in a file: a list in YAML or JSON. */
import { readFileSync } from 'node:fs';
import { type Document, isNode, LineCounter } from 'yaml';
import { z } from 'zod';
import { MacvlabError, messageOf } from '../../core/error.js';
import { readYaml } from '../../core/yaml.js';
import type { KnownDifference } from './known-difference.js';
import { knownDifferences } from './known-differences.js';
import { versionRange } from './version-range.js';

/**
 * Reads a file of known differences.
 * @throws MacvlabError USAGE naming the file, and for each mistake its line, the entry and the field
 */
export function readKnownDifferences(file: string): KnownDifference[] {
  const lines = new LineCounter();
  const text = readText(file);
  let document;
  try {
    document = readYaml(text, lines);
  } catch (error) {
    throw wrong(file, 'it is neither YAML nor JSON', messageOf(error));
  }
  let value: unknown;
  try {
    value = document.toJS();
  } catch (error) {
    throw wrong(file, 'it cannot be resolved', messageOf(error));
  }
  if (!Array.isArray(value)) throw wrong(file, 'it is no list', example, 'write a list such as this, or [] for none');
  const parsed = knownDifferencesSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const mistakes = parsed.error.issues.map((issue) => describe(issue, document, lines));
  throw wrong(file, mistakes.length === 1 ? '1 mistake' : `${mistakes.length} mistakes`, mistakes.join('\n'));
}

/** The built-in known differences and the user's own. If both have the same name, the user's counts. */
export function withOwnDifferences(
  own: readonly KnownDifference[],
  ours: readonly KnownDifference[] = knownDifferences,
): KnownDifference[] {
  const names = new Set(own.map(({ name }) => name));
  return [...ours.filter(({ name }) => !names.has(name)), ...own];
}

const text = nonEmpty('must be text');

function nonEmpty(otherwise: string) {
  return z.string(otherwise).trim().min(1, 'must not be empty');
}

const about = z
  .strictObject(
    {
      experiment: text.exactOptional(),
      title: text.exactOptional(),
      observed: text.exactOptional(),
      feature: text.exactOptional(),
    },
    { error: expected('must be a mapping with experiment or feature') },
  )
  .check(({ value, issues }) => {
    const { experiment, title, observed, feature } = value;
    const isWhole = feature === undefined ? experiment !== undefined : !(experiment ?? title ?? observed);
    if (isWhole) return;
    const message = 'must have either feature, or experiment with title and observed where they are needed';
    issues.push({ code: 'custom', input: value, message });
  });

// Without quotes, YAML reads 5.10 as the number 5.1.
const range = nonEmpty('must be text: put it in quotes, such as "5.10"').check(({ value, issues }) => {
  try {
    versionRange(value);
  } catch (error) {
    const message = `${messageOf(error)}: write versions as in ">=6.4" or ">=5.10 <6.1.119 || >=7.3-rc2"`;
    issues.push({ code: 'custom', input: value, message });
  }
});

const entry = z
  .strictObject(
    {
      name: text,
      about,
      kernels: range,
      expected: z.union([z.string(), z.number(), z.boolean()], 'must be text, a number, true or false'),
      reason: text,
      source: text,
    },
    { error: expected('must be a mapping with name, about, kernels, expected, reason and source') },
  )
  .check(({ value, issues }) => {
    const { feature, observed } = value.about;
    if (observed !== undefined) return;
    const allowed = feature === undefined ? ['failed', 'skipped'] : ['supported', 'refused', 'ignored'];
    if (allowed.includes(String(value.expected))) return;
    const message = `must be ${allowed.join(' or ')} for ${feature === undefined ? 'an experiment without observed' : 'a feature'}`;
    issues.push({ code: 'custom', path: ['expected'], input: value.expected, message });
  })
  // The checks above guarantee the type.
  .transform((value) => value as KnownDifference);

/** The built-in list must pass it as well. */
export const knownDifferencesSchema = z.array(entry).check(({ value, issues }) => {
  const seen = new Set<string>();
  for (const [position, { name }] of value.entries()) {
    if (seen.has(name))
      issues.push({ code: 'custom', path: [position, 'name'], input: name, message: 'is there twice' });
    seen.add(name);
  }
});

/** The message for a value that is no object; zod's own message about unknown keys is better. */
function expected(message: string) {
  return ({ code }: { code?: string }) => (code === 'invalid_type' ? message : undefined);
}

/** "line 12, entry 3 (\"twice\"), kernels: it is no range of versions" */
function describe({ path, message }: z.core.$ZodIssue, document: Document, lines: LineCounter): string {
  const [position, ...field] = path;
  const name = document.getIn([position, 'name']);
  const entry = `entry ${Number(position) + 1}${typeof name === 'string' ? ` (“${name}”)` : ''}`;
  const said = [entry, ...(field.length > 0 ? [field.join('.')] : [])].join(', ');
  return `line ${lineOf(path, document, lines)}, ${said}: ${message}`;
}

/** The line of the innermost part of a path that exists. */
function lineOf(path: readonly PropertyKey[], document: Document, lines: LineCounter): number {
  for (let length = path.length; length >= 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw wrong(file, 'it cannot be read', messageOf(error), 'name another file with --known, or none');
  }
}

const example = `- name: no source lists on our kernel
  about: {experiment: x4-source-listed-only}
  kernels: <6.1
  expected: failed
  reason: they are patched out
  source: our patch 12`;

function wrong(file: string, why: string, evidence: string, next = 'mend the file at these places'): MacvlabError {
  return new MacvlabError('USAGE', `known differences in ${file}: ${why}`, { evidence, next });
}
