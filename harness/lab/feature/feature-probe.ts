/** Detects by trying which features of macvlan, of switches and of related devices the kernel of a lab has. */
import { z } from 'zod';
import { apply } from '../../link/change.js';
import { parseIpJson } from '../../link/link-info.js';
import { addNamespace } from '../../link/namespace.js';
import { type Answer, type Trial, tryAll } from '../../link/trial.js';
import { CommandLog } from '../../remote/command-log.js';
import { NetworkStack } from '../../remote/network-stack.js';
import { probedFeatures, type ProbedFeature, type Source } from './feature-list.js';
import type { Lab } from '../lab.js';

/** A feature, and the kernel's result. */
export interface FeatureAnswer extends Answer {
  name: string;
  group: string;
}

/**
 * Tries all features in a separate namespace on the lab's first node, which is removed afterwards with its contents.
 * The lab's own links do not change. Nothing is written to its log, so that no test's evidence contains any of it.
 * @throws MacvlabError REMOTE_DEAD and the like when the lab is gone; LINK_REFUSED or UNDO_FAILED when such a namespace
 *   cannot be created or removed
 */
export async function probeFeatures({ node1, scopes }: Lab): Promise<FeatureAnswer[]> {
  const log = new CommandLog();
  const { session } = node1.stack;
  const stack = new NetworkStack('features', session, log, 'macvlab-features');
  return scopes.within('probing features', async () => {
    await apply(addNamespace(new NetworkStack(node1.name, session, log), stack), scopes.current);
    const answers = await tryAll(stack, trialsOf(probedFeatures));
    return probedFeatures.map(({ name, group }, index) => ({ name, group, ...(answers[index] as Answer) }));
  });
}

const reads: Readonly<Record<Source, readonly string[]>> = {
  links: ['ip', '-j', '-d', 'address', 'show'],
  ports: ['bridge', '-j', '-d', 'link', 'show'],
  vlans: ['bridge', '-j', 'vlan', 'show'],
  filters: ['bridge', '-j', 'fdb', 'show'],
};

type Json = Readonly<Record<string, unknown>>;
const entriesSchema = z.array(z.looseObject({ ifname: z.string() }));
type Entry = z.infer<typeof entriesSchema>[number];

function trialsOf(features: readonly ProbedFeature[]): Trial[] {
  // Dozens of values are read from one output.
  const parsed = new Map<string, Entry[]>();
  const entriesOf = (output: string, link: string) => {
    const entries = parsed.get(output) ?? parseIpJson(output, entriesSchema);
    parsed.set(output, entries);
    return entries.filter(({ ifname }) => ifname === link);
  };
  return features.map(({ given, command, source, shows: [link, at, expected] }) => ({
    given: given.map(words),
    command: words(command),
    read: reads[source],
    value: (output) => pick[source](entriesOf(output, link), at),
    expected,
  }));
}

/** How to find a feature's value in the output about its link. */
const pick: Readonly<Record<Source, (entries: readonly Json[], at: string) => unknown>> = {
  links: ([link], path) => path.split('.').reduce(step, link),
  ports: ([port], key) => port?.[key],
  vlans: ([port], id) => flagsOf((port?.vlans as Json[] | undefined)?.find(({ vlan }) => String(vlan) === id)),
  filters: (entries, mac) => flagsOf(entries.find((entry) => entry.mac === mac)),
};

/** One step of a path: into an object, or into all of a list. The order of lists has no meaning. */
function step(value: unknown, key: string): unknown {
  if (Array.isArray(value)) return value.map((each) => step(each, key));
  const found = (value as Json | undefined)?.[key];
  return Array.isArray(found) && found.every((each) => typeof each === 'string') ? found.toSorted() : found;
}

function flagsOf(entry: Json | undefined): string | undefined {
  return entry && ((entry.flags as string[] | undefined) ?? []).join(', ');
}

function words(line: string): string[] {
  return line.split(' ').filter(Boolean);
}
