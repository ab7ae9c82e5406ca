/**
 * A network that consists of recordings: its captures read pcap bytes, its pings are those of the recordings. Exchanges run in it as in a
 * lab, without namespaces, tcpdump or root. Three nodes, node1, node2 and router, are connected to one switch.
 */
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { CommandLog } from '../remote/command-log.js';
import { NetworkStack } from '../remote/network-stack.js';
import type { RemoteProcess } from '../remote/process.js';
import type { Session } from '../remote/session.js';
import { CapturePoint, type View } from '../wire/capture-point.js';
import { pcapHeader, pcapRecord } from '../wire/pcap/pcap-writer.test-support.js';
import { arp, echo, ethernet, icmp, ipv4, join } from '../wire/protocol/encode.js';
import { Ledger } from './ledger.js';
import type { ExchangeNetwork } from './network.js';
import { pathBetween, type Station } from './station.js';

/** The steps of an exchange, which name the frames of a recording. */
export type StepName = 'ARP request' | 'ARP reply' | 'echo request' | 'echo reply';

/** The special properties of the recordings of one ping. */
export interface Recording {
  /** The step whose frame does not reach the view of this label. */
  lost?: { step: StepName; view: string };
  /** ping's output on stderr, when it has sent nothing. */
  refusal?: string;
  /** The sender of the reply that ping prints, instead of the receiver. */
  replyFrom?: string;
  /** Ping prints no reply, although the frames of one were captured. */
  isWithheld?: boolean;
}

/** A ping as its caller sees it: its output at its end. */
function launched(argv: readonly string[], process: RemoteProcess): Awaited<ReturnType<Session['launch']>> {
  let [stdout, stderr] = ['', ''];
  process.stdout.on('data', (text: Buffer) => (stdout += text.toString()));
  process.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
  const ended = process.ended.then((exit) => ({ argv, ...exit, stdout, stderr, duration: 0 }));
  // The same object, by which it is signalled.
  return Object.assign(process, { ended });
}

/** A program on a recorded host. */
interface Player {
  process: RemoteProcess;
  /** The name of a capture: "switch/node1 in". */
  view?: string;
  stdout: PassThrough;
  stderr: PassThrough;
  /** For a ping: its output at its end. */
  atEnd?: string;
}

export class RecordedNetwork implements ExchangeNetwork {
  readonly ledger = new Ledger();
  readonly node1: Station;
  readonly node2: Station;
  readonly router: Station;
  readonly witnesses: readonly Station[];
  readonly switch = { requireKnownReflection: () => undefined, claimedReflection: () => undefined };
  readonly movedAddresses = [];
  readonly roundTrip = 0;
  readonly lateness = 20;
  /** By "node1 node2": the recordings of a ping from one to the other; other pings are answered. */
  readonly recordings = new Map<string, Recording>();
  /** Frames that the kernel has dropped according to tcpdump, by the label of a view. */
  readonly dropped = new Map<string, number>();
  readonly #players: Player[] = [];
  readonly #log = new CommandLog();
  #ticks = 0;

  constructor() {
    const stack = (name: string) => new NetworkStack(name, this.#session(name), this.#log);
    const onSwitch = stack('switch');
    const station = (name: string, address: string, mac: string): Station => {
      const own = stack(name);
      return {
        ...{ name, stack: own, device: 'eth1', addresses: [`${address}/24`], mac, host: name },
        wire: new CapturePoint(own, 'eth1', ['in', 'out']),
        port: new CapturePoint(onSwitch, name, ['in', 'out']),
      };
    };
    this.node1 = station('node1', '10.0.0.1', '02:00:00:00:00:01');
    this.node2 = station('node2', '10.0.0.2', '02:00:00:00:00:02');
    this.router = station('router', '10.0.0.254', '02:00:00:00:00:fe');
    this.witnesses = [this.router, this.node2, this.node1];
  }

  /** Opens all capture points. */
  async open(): Promise<void> {
    await Promise.all(this.#points.map((point) => point.open()));
  }

  close(): void {
    for (const point of this.#points) point.close();
  }

  get listening(): ExchangeNetwork['listening'] {
    return {
      captures: this.#points.flatMap(({ captures }) => captures),
      ownerOf: ({ label }) => {
        const owner = this.witnesses.find(({ name }) => label.includes(name));
        if (owner) return owner;
        throw new TypeError(`no station sends frames past ${label}`);
      },
    };
  }

  timeout(milliseconds: number): number {
    return milliseconds;
  }

  /** Each recording begins without neighbour entries. */
  forgetNeighbours(): Promise<void> {
    return Promise.resolve();
  }

  get #points(): CapturePoint[] {
    return this.witnesses.flatMap(({ wire, port }) => [wire, port as CapturePoint]);
  }

  /** The part of a session that captures and pings use. */
  #session(name: string): Session {
    const session: Partial<Session> = {
      death: new AbortController().signal,
      clock: { ahead: 0, error: 0 },
      translation: undefined,
      timeout: (milliseconds) => milliseconds,
      start: (argv) => Promise.resolve(this.#capture(name, argv)),
      launch: (argv) => Promise.resolve(launched(argv, this.#ping(name, argv))),
      signal: (_, processes) => {
        for (const each of this.#players)
          if (processes.some((process) => process === each.process)) this.#signalled(each);
        return Promise.resolve();
      },
    };
    return session as Session;
  }

  #player(about: Pick<Player, 'view' | 'atEnd'>, status = 0): Player {
    const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
    const ended = once(stdout, 'end').then(() => ({ status, signal: undefined }));
    const process = { stdin, stdout, stderr, ended } as unknown as RemoteProcess;
    const player = { ...about, process, stdout, stderr };
    this.#players.push(player);
    return player;
  }

  #capture(host: string, argv: readonly string[]): RemoteProcess {
    const after = (option: string) => argv[argv.indexOf(option) + 1] ?? '';
    const { process, stdout, stderr } = this.#player({ view: `${host}/${after('-i')} ${after('-Q')}` });
    stderr.write(`listening on ${after('-i')}\n`);
    stdout.write(pcapHeader());
    return process;
  }

  /** On a signal, tcpdump prints its counters; a ping ends. */
  #signalled({ view, stdout, stderr, atEnd }: Player): void {
    if (view === undefined) stdout.end(atEnd);
    else
      stderr.write(
        `9 packets captured, 9 packets received by filter, ${this.dropped.get(view) ?? 0} packets dropped by kernel\n`,
      );
  }

  #ping(host: string, argv: readonly string[]): RemoteProcess {
    const target = argv.at(-1) ?? '';
    const station = (is: (each: Station) => boolean) => {
      const found = this.witnesses.find(is);
      if (found) return found;
      throw new TypeError(`there is no recording of ${argv.join(' ')} on ${host}`);
    };
    const from = station(({ name }) => name === host);
    const to = station(({ addresses }) => addresses.includes(`${target}/24`));
    const recording = this.recordings.get(`${from.name} ${to.name}`) ?? {};
    const summary = (received: number) =>
      `\n--- ${target} ping statistics ---\n1 packets transmitted, ${received} received, ${received ? 0 : 100}% packet loss, time 0ms\n`;
    const { process, stdout, stderr } = this.#player({ atEnd: summary(0) }, recording.refusal === undefined ? 0 : 2);
    if (recording.refusal !== undefined) {
      stderr.end(`ping: ${recording.refusal}\n`);
      stdout.end();
    } else if (this.#play(from, to, argv[argv.indexOf('-p') + 1] ?? '', recording) && !recording.isWithheld) {
      const replyFrom = recording.replyFrom ?? target;
      stdout.end(`64 bytes from ${replyFrom}: icmp_seq=1 ttl=64 time=0.1 ms\n${summary(1)}`);
    }
    return process;
  }

  /** Writes the frames of a recording to the captures that they pass. Returns whether all reached their ends. */
  #play(from: Station, to: Station, token: string, { lost }: Recording): boolean {
    const [there, back] = [pathBetween(from, to), pathBetween(to, from)];
    const [a, b] = [from, to].map(({ addresses: [cidr = ''] }) => cidr.replace(/\/.*/, '')) as [string, string];
    const [source, destination] = [from.mac, to.mac];
    const data = join('00'.repeat(16), token, token);
    const echoed = (type: number, [sender, receiver]: [string, string]) =>
      ipv4({ source: sender, destination: receiver, protocol: 1 }, icmp(type, 0, echo(1, 1, data)));
    const steps: [StepName, View[], Uint8Array][] = [
      [
        'ARP request',
        there,
        ethernet(
          { source, destination: 'ff:ff:ff:ff:ff:ff', type: 0x0806 },
          arp(1, [source, a], ['00:00:00:00:00:00', b]),
        ),
      ],
      [
        'ARP reply',
        back,
        ethernet({ source: destination, destination: source, type: 0x0806 }, arp(2, [destination, b], [source, a])),
      ],
      ['echo request', there, ethernet({ source, destination, type: 0x0800 }, echoed(8, [a, b]))],
      ['echo reply', back, ethernet({ source: destination, destination: source, type: 0x0800 }, echoed(0, [b, a]))],
    ];
    for (const [step, path, frame] of steps) {
      for (const { label } of path) {
        if (lost?.step === step && lost.view === label) return false;
        const player = this.#players.find(({ view }) => view === label);
        player?.stdout.write(pcapRecord(frame, Date.now() * 1000 + (this.#ticks++ % 1000)));
      }
    }
    return true;
  }
}
