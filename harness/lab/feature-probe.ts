/** What the kernel of a lab makes of macvlan, of a switch’s settings, and of what belongs to them: found by trying. */
import { z } from 'zod';
import { apply } from '../link/change.js';
import { parseIpJson } from '../link/link-info.js';
import { addNamespace } from '../link/namespace.js';
import { type Answer, type Trial, tryAll } from '../link/trial.js';
import { CommandLog } from '../remote/command-log.js';
import { NetworkStack } from '../remote/network-stack.js';
import { probedFeatures, type ProbedFeature, type Source } from './feature-list.js';
import type { Lab } from './lab.js';

/** A feature, and what the kernel made of it. */
export interface FeatureAnswer extends Answer {
  name: string;
  group: string;
}

/**
 * Tries all features in a namespace of their own on the lab's first node, which is gone afterwards with all that was made in it.
 * The lab's own links are not touched, and its log is not written to: no test's evidence has any of it.
 * @throws MacvlabError REMOTE_DEAD and the like when the lab is gone; LINK_REFUSED or UNDO_FAILED when there can be no such
 * namespace, or it does not go away
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
  // One output is asked for dozens of values.
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

/** How a feature's value is found in what is shown of its link. */
const pick: Readonly<Record<Source, (entries: readonly Json[], at: string) => unknown>> = {
  links: ([link], path) => path.split('.').reduce(step, link),
  ports: ([port], key) => port?.[key],
  vlans: ([port], id) => flagsOf((port?.vlans as Json[] | undefined)?.find(({ vlan }) => String(vlan) === id)),
  filters: (entries, mac) => flagsOf(entries.find((entry) => entry.mac === mac)),
};

/** One step of a path: into an object, or into all of a list. Lists have no order that means anything. */
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
