/** VLAN sub-interfaces: each has a device's frames with one tag, without that tag; several tags when they are stacked. */
import type { NetworkStack } from '../remote/network-stack.js';
import type { Change } from './change.js';
import { type LinkInfo, parseLink, showLink } from './link-info.js';

/** The tag's kind (IEEE 802.1Q-2018, 9.5): a customer's, or a provider's outer tag. */
export type VlanProtocol = '802.1Q' | '802.1ad';

/** The tag that a sub-interface adds to frames that it sends, and removes from those that it receives. */
export interface Tagging {
  /** 1 to 4094. */
  id: number;
  protocol: VlanProtocol;
}

export interface VlanOptions extends Partial<Tagging> {
  /** The sub-interface's name. */
  name: string;
  /** The device whose frames carry the tag; itself a sub-interface for a second tag within the first. */
  parent: string;
  id: number;
}

/** Adds a VLAN sub-interface, read back; the undo deletes it. */
export function addVlan(stack: NetworkStack, options: VlanOptions): Change<Tagging> {
  const { name, id, protocol = '802.1Q' } = options;
  return {
    ...adding(stack, options),
    read: showLink(name),
    value: (output) => taggingOf(parseLink(output)),
    expected: { id, protocol },
  };
}

/** Adds a VLAN sub-interface of a device of `stack` directly in another namespace, so that `stack` itself has none; the undo deletes it. */
export function addVlanInto(stack: NetworkStack, options: VlanOptions, into: NetworkStack): Change {
  return { ...adding(stack, options, into), undoIn: into };
}

function adding(stack: NetworkStack, options: VlanOptions, into?: NetworkStack): Omit<Change<Tagging>, 'read'> {
  const { name, parent, id, protocol = '802.1Q' } = options;
  const home = into?.namespace ? ['netns', into.namespace] : [];
  return {
    stack,
    what: `add ${name}, VLAN ${id} (${protocol}) of ${parent}${into ? `, in ${into.name}` : ''}`,
    command: [
      ...['ip', 'link', 'add', 'link', parent, 'name', name, ...home, 'type', 'vlan'],
      ...tagWords(protocol, id),
    ],
    undo: () => ['ip', 'link', 'delete', 'dev', name],
  };
}

function tagWords(protocol: VlanProtocol, id: number): string[] {
  return [...(protocol === '802.1Q' ? [] : ['protocol', protocol]), 'id', String(id)];
}

/** The tag of a sub-interface; undefined for another kind of link. */
export function taggingOf(link: LinkInfo | undefined): Tagging | undefined {
  if (link?.linkinfo?.info_kind !== 'vlan') return undefined;
  const { id, protocol } = link.linkinfo.info_data ?? {};
  return { id: Number(id), protocol: protocol as VlanProtocol };
}
