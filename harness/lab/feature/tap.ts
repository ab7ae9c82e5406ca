/**
 * A macvtap: a macvlan child whose frames pass through a character device instead of a network stack, as for a virtual
 * machine. Here a shell on the node holds the device open. Frames are sent and received through it as base64 lines.
 */
import { randomInt } from 'node:crypto';
import { MacvlabError } from '../../core/error.js';
import { Changes, within } from '../../core/wait.js';
import { settled } from '../../link/change.js';
import { setUp } from '../../link/device.js';
import { readLink } from '../../link/link-info.js';
import { addMacvlan, type MacvlanMode } from '../../link/macvlan.js';
import type { RemoteProcess } from '../../remote/process.js';
import { decodeFrame } from '../../wire/protocol/decode.js';
import type { Frame } from '../../wire/protocol/frame.js';
import type { FramePattern } from '../../wire/pattern.js';
import { MissingPrerequisite } from '../../core/missing-prerequisite.js';
import type { Node } from '../node.js';

/**
 * Each read and write of the device is one frame after a header for offloads (drivers/net/tap.c, tap_open: IFF_VNET_HDR
 * is set; uapi/linux/virtio_net.h, struct virtio_net_hdr). All zero, it requests none.
 */
const offloadHeader = 10;

/**
 * Interface indexes that no kernel reaches by counting. The device node is named after the index, and all network
 * namespaces share /dev. Two taps with the same index would have the same device node.
 */
const indexes = [2 ** 20, 2 ** 31 - 1] as const;

/** Milliseconds; only a frame that never arrives takes that long. */
const receiveDeadline = 5000;

/**
 * Runs in the separate process group that sshd creates for each command, so that the last line ends it with its reader.
 * Opening a missing path would create a file there.
 */
const holder = `
[ -c "$1" ] || { echo "$1 is no character device" >&2; exit 1; }
exec 3<>"$1" || exit
echo open
while frame=$(dd bs=65536 count=1 <&3 2>/dev/null | base64 -w 0) && [ -n "$frame" ]; do echo "$frame"; done &
while read -r frame; do echo "$frame" | base64 -d | dd bs=65536 count=1 iflag=fullblock >&3 2>/dev/null; done
kill 0`;

/** The properties of a tap's device node; numbers in decimal, "major:minor". */
export interface DeviceNode {
  /** Whether there is a character device at its path. */
  exists: boolean;
  /** Its number, and the number that the kernel reports for the link. */
  number: string;
  ofLink: string;
}

export class Tap {
  readonly name: string;
  readonly mac: string;
  /** "/dev/tap1234567" */
  readonly path: string;
  readonly #node: Node;
  readonly #changes = new Changes();
  readonly #received: Frame[] = [];
  #process: RemoteProcess | undefined;
  #words = '';
  #isOpen = false;

  private constructor(node: Node, name: string, mac: string, path: string) {
    this.name = name;
    this.mac = mac;
    this.path = path;
    this.#node = node;
  }

  /** Makes a macvtap on a node's uplink (or another device), until the end of the current scope. @throws LinkError */
  static async make(node: Node, name: string, options: { mode?: MacvlanMode; parent?: string } = {}): Promise<Tap> {
    const { mode = 'bridge', parent = node.device } = options;
    const index = randomInt(...indexes);
    await node.apply(
      addMacvlan(node.stack, { kind: 'macvtap', name, parent, mode, index, mac: node.childMac(mode) }),
      settled(setUp(node.stack, name, true)),
    );
    const link = await readLink(node.stack, name);
    return new Tap(node, name, link.address ?? '', `/dev/tap${index}`);
  }

  /** What the machine's /dev and the kernel's own list of the link's devices show. */
  async deviceNode(): Promise<DeviceNode> {
    // A sysfs shows the links of the namespace in which it was mounted (net/core/net-sysfs.c). A host's own is already
    // mounted there, and the kernel accepts no second one.
    const script = `mount -t sysfs sysfs /sys 2>/dev/null; cat "/sys/class/net/$1/\${2##*/}/dev" || echo; [ -c "$2" ] && stat -c '%t %T' "$2"`;
    const argv = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', this.name, this.path];
    const { stdout, status } = await this.#node.stack.run(argv, 'reading');
    const [ofLink = '', numbers = ''] = stdout.split('\n');
    const number = numbers.split(' ').map((hex) => Number.parseInt(hex, 16));
    return { exists: status === 0, number: number.join(':'), ofLink };
  }

  /**
   * Opens the character device, until the end of the current scope. Until then, nothing reads the tap's frames.
   * @throws MacvlabError REMOTE_COMMAND with the shell's message; MissingPrerequisite where suites' addresses are
   *   translated on the wire
   */
  async open(): Promise<void> {
    const moved = Object.keys(this.#node.policy.map?.entries() ?? {})[0];
    if (moved !== undefined)
      throw new MissingPrerequisite('machine', `writes whole frames, which need ${moved} itself in \`addresses\``);
    const process = await this.#node.stack.start(['sh', '-c', holder, 'sh', this.path], 'harness');
    this.#process = process;
    this.#node.scopes.current.defer(`close ${this.path}`, () => this.#close());
    process.stdout.setEncoding('utf8').on('data', (text: string) => this.#read(text));
    let said = '';
    process.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    process.ended.then(
      () => this.#changes.fail(this.#gone(said)),
      (error: unknown) => this.#changes.fail(error),
    );
    await this.#changes.until(() => this.#isOpen || undefined, {
      what: `${this.path} to be opened`,
      deadline: this.#node.stack.timeout(10_000),
      evidence: () => said,
    });
  }

  /** Writes a frame to the character device. */
  send(frame: Uint8Array): void {
    const bytes = Buffer.concat([Buffer.alloc(offloadHeader), frame]);
    this.#process?.stdin.write(`${bytes.toString('base64')}\n`);
  }

  /** All frames that were read from the character device, in order. */
  get received(): readonly Frame[] {
    return this.#received;
  }

  /**
   * The first frame of a pattern that is read from the character device; undefined when none comes within the deadline.
   * @throws MacvlabError REMOTE_COMMAND when the device is no longer held open
   */
  async receive(pattern: FramePattern, deadline = receiveDeadline): Promise<Frame | undefined> {
    const look = () => this.#received.find((frame) => pattern.matches(frame));
    const what = `${pattern.description} to be read from ${this.path}`;
    const { stack } = this.#node;
    return this.#changes.until(look, { what, deadline: stack.timeout(deadline) }).catch((error: unknown) => {
      if (error instanceof MacvlabError && error.code === 'WAIT_DEADLINE') return undefined;
      throw error;
    });
  }

  #gone(said: string): MacvlabError {
    const what = this.#isOpen ? 'is no longer held open' : 'could not be opened';
    return new MacvlabError('REMOTE_COMMAND', `${this.path} on ${this.#node.name} ${what}`, {
      evidence: said,
      next: 'look whether the link is still there, and whether /dev is a devtmpfs; dd and base64 must be installed',
    });
  }

  #read(text: string): void {
    const lines = (this.#words + text).split('\n');
    this.#words = lines.pop() ?? '';
    for (const line of lines) {
      if (line === 'open') this.#isOpen = true;
      else this.#received.push(decodeFrame(Buffer.from(line, 'base64').subarray(offloadHeader), Date.now() * 1000));
    }
    this.#changes.notify();
  }

  async #close(): Promise<void> {
    if (!this.#process) return;
    this.#process.stdin.end();
    const deadline = this.#node.stack.timeout(10_000);
    await within(this.#process.ended, { what: `${this.path} to be closed`, deadline });
  }
}
