/** ping (iputils): every reply, loss, duplicates and refusals, parsed. */
import { randomBytes } from 'node:crypto';
import { MacvlabError } from '../core/error.js';
import { within } from '../core/wait.js';
import type { NetworkStack } from '../remote/network-stack.js';
import type { CommandResult } from '../remote/session.js';

export interface PingReply {
  sequence: number;
  from: string;
  /** Remaining TTL or hop limit. */
  ttl: number;
  /** Round-trip time in milliseconds. */
  time: number;
  duplicate: boolean;
}

export interface PingResult {
  transmitted: number;
  received: number;
  duplicates: number;
  /** Percent of the requests that were not answered. */
  loss: number;
  replies: PingReply[];
  /** ICMP errors and local errors in ping's output: "Destination Host Unreachable". */
  errors: string[];
  /** Why ping sent nothing: "connect: Network is unreachable". */
  refusal?: string;
  /** A reply whose payload differs from the request's. */
  corrupted: boolean;
  /** Milliseconds that ping reports, without its start and end. */
  duration: number;
}

export interface PingOptions {
  count?: number;
  /** Seconds to wait for the last reply; a caller that detects a loss earlier calls `stop`. */
  wait?: number;
  /** Payload bytes, at least 16 for the token. */
  size?: number;
  /** Seconds between two requests; default 1. */
  interval?: number;
  /** Send the next request as soon as the last is answered (needs root). */
  flood?: boolean;
  /** Initial TTL or hop limit. */
  ttl?: number;
  /** The device that must be used. */
  device?: string;
}

/** A running ping. */
export interface RunningPing {
  /** Hex digits in every echo's payload, which distinguish its frames from all others. */
  readonly token: string;
  readonly ended: Promise<PingResult>;
  /** Ends it at once; it reports its results so far. */
  readonly stop: () => Promise<void>;
}

/** Starts a ping. @throws MacvlabError REMOTE_DEAD */
export async function startPing(stack: NetworkStack, address: string, options: PingOptions = {}): Promise<RunningPing> {
  const token = randomBytes(8).toString('hex');
  const { count = 1, wait = 10 } = options;
  const argv = [
    ...['ping', '-n', '-c', String(count), '-W', String(wait), '-p', token],
    ...(options.size === undefined ? [] : ['-s', String(options.size)]),
    ...(options.interval === undefined ? [] : ['-i', String(options.interval)]),
    ...(options.flood ? ['-f'] : []),
    ...(options.ttl === undefined ? [] : ['-t', String(options.ttl)]),
    ...(options.device === undefined ? [] : ['-I', options.device]),
    address,
  ];
  const process = await stack.launch(argv, 'probe');
  const stop = () => stack.session.signal('INT', [process]);
  const ended = finish(stack, process.ended, argv).catch(async (error: unknown) => {
    // A ping that outlives its deadline would continue into the next experiment.
    if (!stack.session.death.aborted) await stop().catch(() => undefined);
    throw error;
  });
  // A caller that stops a ping because the lab is lost reports the lab's error.
  ended.catch(() => undefined);
  return { token, ended, stop };
}

/** Runs a ping to its own end. @throws MacvlabError REMOTE_DEAD, PROBE_UNREADABLE */
export async function ping(
  stack: NetworkStack,
  address: string,
  options: PingOptions = {},
): Promise<PingResult & { token: string }> {
  const running = await startPing(stack, address, options);
  return { ...(await running.ended), token: running.token };
}

async function finish(
  stack: NetworkStack,
  ended: Promise<CommandResult>,
  argv: readonly string[],
): Promise<PingResult> {
  const result = await within(ended, { what: argv.join(' '), deadline: stack.timeout(60_000) });
  return parsePing(result.stdout, result.stderr, result.status);
}

/**
 * Reads ping's output.
 * @throws MacvlabError PROBE_UNREADABLE when there is neither a summary nor a reason for its absence
 */
export function parsePing(stdout: string, stderr: string, status: number | null): PingResult {
  const summary =
    /^(\d{1,15}) packets transmitted, (\d{1,15}) received(?:, \+(\d{1,15}) duplicates)?(?:, \+(\d{1,15}) corrupted)?(?:, \+(\d{1,15}) errors)?(?:, (\d{1,9}(?:\.\d{1,15})?(?:e[+-]\d{1,2})?)% packet loss)?(?:, time (\d{1,15})ms)?/m.exec(
      stdout,
    );
  const seen = new Set<string | undefined>();
  const replies = [
    ...stdout.matchAll(
      /^\d+ bytes from ([^\s]+?):? icmp_seq=(\d{1,15}) ttl=(\d{1,15}) time=(\d{1,15}(?:\.\d{1,15})?) ms.*$/gm,
    ),
  ].map(([, from = '', sequence, ttl, time]): PingReply => ({
    sequence: Number(sequence),
    from,
    ttl: Number(ttl),
    time: Number(time),
    // "DUP!" would miss the further replies of a multicast group, which ping only counts (iputils, gather_statistics).
    duplicate: seen.size === seen.add(sequence).size,
  }));
  const errors = [...stdout.matchAll(/^From [^\s]+ icmp_seq=\d+ (.*)$/gm)].map(([, text = '']) => text);
  const words = stderr.trim().replace(/^ping6?: /gm, '');
  if (!summary) {
    if (!words || status === 0) {
      throw new MacvlabError('PROBE_UNREADABLE', `ping ended with status ${status} and printed no summary`, {
        evidence: `${stdout}${stderr}`,
        next: 'check that `ping -V` is of iputils; busybox’s ping prints something else',
      });
    }
    return {
      transmitted: 0,
      received: 0,
      duplicates: 0,
      loss: 100,
      replies,
      errors,
      refusal: words,
      corrupted: false,
      duration: 0,
    };
  }
  const [, transmitted, received, duplicates = '0', corrupted, , loss = '100', duration = '0'] = summary;
  return {
    transmitted: Number(transmitted),
    received: Number(received),
    duplicates: Number(duplicates),
    loss: Number(loss),
    replies,
    errors: words ? [...errors, ...words.split('\n')] : errors,
    corrupted: corrupted !== undefined || /wrong data byte/.test(stdout),
    duration: Number(duration),
  };
}
