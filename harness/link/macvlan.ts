/** Creates, changes and deletes macvlan links, and macvtap links, which are macvlans with a character device. */
import type { NetworkStack } from '../remote/network-stack.js';
import type { Change } from './change.js';
import { type LinkInfo, macvlanMode, parseLink, showLink } from './link-info.js';

/** The modes of macvlan (uapi/linux/if_link.h, enum macvlan_mode). */
export const macvlanModes = ['private', 'vepa', 'bridge', 'passthru', 'source'] as const;
export type MacvlanMode = (typeof macvlanModes)[number];

export interface MacvlanOptions {
  /** The child's name. */
  name: string;
  /** The child's parent. */
  parent: string;
  /** macvlan by default. */
  kind?: 'macvlan' | 'macvtap' | undefined;
  /** Interface index, for callers that need it in advance; by default, the kernel counts. */
  index?: number | undefined;
  /** By default, the kernel chooses. */
  mode?: MacvlanMode | undefined;
  /** MAC address; by default, the kernel generates one. */
  mac?: string | undefined;
  /** Flags after the mode: passthru without promiscuous parent, source mode without destination lookup. */
  flags?: readonly ('nopromisc' | 'nodst')[] | undefined;
  /** For mode source: the child receives only frames from these source MAC addresses. */
  sources?: readonly string[] | undefined;
}

/** Adds a macvlan on a device of `stack`; with `into`, directly in that stack's namespace. The undo deletes it. */
export function addMacvlan(stack: NetworkStack, options: MacvlanOptions, into?: NetworkStack): Change<LinkInfo> {
  const { name, parent, kind = 'macvlan', index, mode, mac, flags = [], sources } = options;
  const home = into ?? stack;
  const modeWords = mode === undefined ? [] : ['mode', mode, ...flags];
  const sourceWords = sources === undefined ? [] : ['macaddr', 'set', ...sources];
  return {
    stack,
    what: `add ${kind} ${name} on ${parent}${mode ? `, mode ${mode}` : ''}${into ? `, in ${into.name}` : ''}`,
    command: [
      ...['ip', 'link', 'add', 'link', parent, 'name', name],
      ...(index === undefined ? [] : ['index', String(index)]),
      ...(mac ? ['address', mac] : []),
      ...(into?.namespace ? ['netns', into.namespace] : []),
      ...['type', kind, ...modeWords, ...sourceWords],
    ],
    undo: () => ['ip', 'link', 'delete', 'dev', name],
    undoIn: home,
  };
}

/** Changes the mode of an existing macvlan. */
export function setMacvlanMode(stack: NetworkStack, name: string, mode: MacvlanMode): Change<string> {
  return {
    stack,
    what: `mode of ${name}: ${mode}`,
    command: ['ip', 'link', 'set', 'dev', name, 'type', 'macvlan', 'mode', mode],
    read: showLink(name),
    value: (output) => macvlanMode(parseLink(output)),
    expected: mode,
    undo: (before) =>
      before === undefined ? undefined : ['ip', 'link', 'set', 'dev', name, 'type', 'macvlan', 'mode', before],
  };
}
