/** The network of a test as a drawing: nodes, their parents and macvlan children, and the ports of the switch. */
import { z } from 'zod';
import { html, type Html } from '../document/html.js';

/** A network as its link snapshot shows it. */
export interface Network {
  nodes: NetworkNode[];
  /** Empty if macvlab could not read the switch. */
  ports: { name: string; flags: string[] }[];
}

export interface NetworkNode {
  name: string;
  /** Its interfaces other than children: "eth1", with the VLAN id for "eth1.10". */
  parents: { name: string; mac: string; addresses: string[] }[];
  children: NetworkChild[];
}

export interface NetworkChild {
  /** Its namespace: "ns1"; undefined if it is in the node's own stack. */
  namespace: string | undefined;
  name: string;
  mode: string;
  mac: string;
  addresses: string[];
  /** The name of its parent; undefined if the snapshot does not show it. */
  parent: string | undefined;
}

const link = z.looseObject({
  ifindex: z.number(),
  ifname: z.string(),
  link_index: z.number().optional(),
  address: z.string().default(''),
  linkinfo: z
    .looseObject({
      info_kind: z.string().optional(),
      info_data: z.looseObject({ mode: z.string().optional() }).optional(),
    })
    .optional(),
  addr_info: z
    .array(
      z.looseObject({ local: z.string().default(''), prefixlen: z.number().default(0), scope: z.string().default('') }),
    )
    .default([]),
});
type Link = z.infer<typeof link>;

const port = z.looseObject({ ifname: z.string(), hairpin: z.boolean().optional(), isolated: z.boolean().optional() });

/** Reads a link snapshot (`-links.json`). What it cannot read is left out. */
export function networkOf(snapshot: unknown): Network {
  const stacks = new Map<string, Link[]>();
  let ports: Network['ports'] = [];
  for (const [key, value] of Object.entries(z.record(z.string(), z.unknown()).catch({}).parse(snapshot))) {
    const [stack = '', command = ''] = key.split(': ');
    if (command.startsWith('bridge ')) ports = portsOf(value);
    else if (command.startsWith('ip ')) stacks.set(stack, z.array(link).catch([]).parse(value));
  }
  const names = [...stacks.keys()].filter((name) => !name.includes('/') && name !== 'switch');
  return { nodes: names.map((name) => nodeOf(name, stacks)), ports };
}

function portsOf(value: unknown): Network['ports'] {
  return z
    .array(port)
    .catch([])
    .parse(value)
    .map(({ ifname, hairpin, isolated }) => ({
      name: ifname,
      flags: [hairpin === true ? 'hairpin on' : 'hairpin off', ...(isolated === true ? ['isolated'] : [])],
    }));
}

function nodeOf(name: string, stacks: ReadonlyMap<string, Link[]>): NetworkNode {
  const own = stacks.get(name) ?? [];
  const inside = [...stacks].filter(([stack]) => stack.startsWith(`${name}/`));
  const childrenIn = (links: readonly Link[], namespace?: string) =>
    links.filter(isChild).map((child): NetworkChild => ({
      namespace,
      name: child.ifname,
      mode: child.linkinfo?.info_data?.mode ?? child.linkinfo?.info_kind ?? '',
      mac: child.address,
      addresses: addressesOf(child),
      parent: own.find(({ ifindex }) => ifindex === child.link_index)?.ifname,
    }));
  return {
    name,
    parents: own
      .filter((each) => each.ifname !== 'lo' && !isChild(each))
      .map((each) => ({ name: each.ifname, mac: each.address, addresses: addressesOf(each) })),
    children: [
      ...childrenIn(own),
      ...inside.flatMap(([stack, links]) => childrenIn(links, stack.slice(name.length + 1))),
    ],
  };
}

function isChild({ linkinfo }: Link): boolean {
  return linkinfo?.info_kind === 'macvlan' || linkinfo?.info_kind === 'macvtap';
}

/** Without link-local addresses, which each interface has. */
function addressesOf({ addr_info: all }: Link): string[] {
  return all.filter(({ scope }) => scope !== 'link').map(({ local, prefixlen }) => `${local}/${prefixlen}`);
}

/** Pixels. */
const [boxWidth, gap, lineHeight] = [164, 14, 15];

interface Box {
  x: number;
  y: number;
  height: number;
  lines: string[];
  kind: 'child' | 'node' | 'port';
}

/** The drawing as boxes and lines. */
export function networkLayout({ nodes, ports }: Network): {
  boxes: Box[];
  lines: [number, number, number, number][];
  width: number;
  height: number;
} {
  const boxes: Box[] = [];
  const lines: [number, number, number, number][] = [];
  const box = (kind: Box['kind'], x: number, y: number, text: readonly string[]): Box => {
    const made = { kind, x, y, height: text.length * lineHeight + 10, lines: [...text] };
    boxes.push(made);
    return made;
  };
  const childRow =
    Math.max(0, ...nodes.flatMap(({ children }) => children.map((child) => linesOf(child).length))) * lineHeight;
  const nodeTop = childRow > 0 ? childRow + 10 + 34 : 0;
  const nodeRow = Math.max(...nodes.map((node) => linesOfNode(node).length), 1) * lineHeight + 10;
  const portTop = nodeTop + nodeRow + 34;
  let x = 1;
  for (const node of nodes) {
    const width = Math.max(1, node.children.length) * (boxWidth + gap) - gap;
    const middle = x + width / 2;
    const own = box('node', middle - boxWidth / 2, nodeTop, linesOfNode(node));
    node.children.forEach((child, index) => {
      const made = box('child', x + index * (boxWidth + gap), 0, linesOf(child));
      lines.push([made.x + boxWidth / 2, made.height, middle, nodeTop]);
    });
    const reached = ports.find(({ name }) => name === node.name);
    if (reached) {
      box('port', middle - boxWidth / 2, portTop, [`switch port ${reached.name}`, reached.flags.join(', ')]);
      lines.push([middle, nodeTop + own.height, middle, portTop]);
    }
    x += width + 2 * gap;
  }
  const height = ports.length > 0 ? portTop + 2 * lineHeight + 22 : nodeTop + nodeRow + 4;
  return { boxes, lines, width: Math.max(x - gap, boxWidth + 4), height };
}

function linesOf({ namespace, name, mode, mac, addresses, parent }: NetworkChild): string[] {
  const place = namespace === undefined ? name : `${namespace}: ${name}`;
  return [
    place,
    `macvlan ${mode}${parent === undefined || parent === 'eth1' ? '' : ` on ${parent}`}`,
    mac,
    ...addresses,
  ];
}

function linesOfNode({ name, parents }: NetworkNode): string[] {
  return [
    name,
    ...parents.flatMap(({ name: parent, mac, addresses }) => [
      `${parent} ${mac}`,
      ...addresses.map((each) => `  ${each}`),
    ]),
  ];
}

/** The drawing as SVG. @param title what it shows, for readers who cannot see it */
export function networkSvg(network: Network, title: string): Html {
  const { boxes, lines, width, height } = networkLayout(network);
  const ports = boxes.filter(({ kind }) => kind === 'port');
  const [left, right] = [Math.min(...ports.map(({ x }) => x)), Math.max(...ports.map(({ x }) => x))];
  return html`<svg class="network" role="img" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
    <title>${title}</title>
    ${
      ports.length > 0 &&
      html`<rect
        class="switch"
        x="${left - 1}"
        y="${ports[0]?.y ?? 0}"
        width="${right - left + boxWidth + 2}"
        height="${2 * lineHeight + 18}"
        rx="6"
      />`
    }
    ${lines.map(([x1, y1, x2, y2]) => html`<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" />`)} ${boxes.map(boxSvg)}
  </svg>`;
}

function boxSvg({ x, y, height, lines, kind }: Box): Html {
  const texts = lines.map(
    (line, index) =>
      html`<text class="${index === 0 ? 'name' : 'line'}" x="${x + 7}" y="${y + 17 + index * lineHeight}"
        >${line}</text
      >`,
  );
  return html`<g class="${kind}">
    ${kind !== 'port' && html`<rect x="${x}" y="${y + 1}" width="${boxWidth}" height="${height}" rx="6" />`} ${texts}
  </g> `;
}
