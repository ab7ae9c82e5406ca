/** Versions of the programs that a lab on this machine uses, as they print them. */
import { $ } from 'zx';
import type { Prerequisite } from '../machine/driver.js';
import { findProgram, installCommand } from '../setup/tools.mjs';

const quietly = $({ quiet: true, nothrow: true });

/** The option that makes each program print its version, and the place of the version in its output. */
const questions: Record<string, { program: string; option: string; version: RegExp }> = {
  iproute2: { program: 'ip', option: '-V', version: /iproute2-([^\s,]+)/ },
  tcpdump: { program: 'tcpdump', option: '--version', version: /tcpdump version (\S+)/ },
  libpcap: { program: 'tcpdump', option: '--version', version: /libpcap version (\S+)/ },
  ping: { program: 'ping', option: '-V', version: /ping from (.+)/ },
  // Before OpenSSH 9.8, sshd does not support -V. It prints its version with the error message.
  sshd: { program: 'sshd', option: '-V', version: /(OpenSSH_[^\s,]+)/ },
};

/** Name to version: "unknown" for a program that prints none, "not installed" for a missing one. */
export async function toolVersions(): Promise<Record<string, string>> {
  const answers = Object.entries(questions).map(async ([name, { program, option, version }]) => {
    const output = await ask(program, option);
    return [name, output === undefined ? 'not installed' : (version.exec(output)?.[1] ?? 'unknown')] as const;
  });
  return Object.fromEntries(await Promise.all(answers));
}

/** Checks that arping is that of iputils: another program of that name has other options. Returns nothing if there is no arping. */
export async function checkArping(): Promise<Prerequisite[]> {
  const output = await ask('arping', '-V');
  if (output === undefined) return [];
  const own = /iputils[^\s]*( \S+)?/.exec(output)?.[0];
  const detail = own ?? `another program: ${output.trim().split('\n')[0]}`;
  return [
    {
      what: 'arping of iputils',
      found: own !== undefined,
      detail,
      next: installCommand(['arping']) ?? 'install the arping of iputils in its place',
    },
  ];
}

/** The text that a program prints on both of its outputs; undefined if it is not installed. */
async function ask(program: string, option: string): Promise<string | undefined> {
  const path = findProgram(program);
  if (path === undefined) return undefined;
  const { stdout, stderr } = await quietly`${path} ${option}`;
  return `${stdout}${stderr}`;
}
