/** The action of `macvlab validate-switch`. */
import { resolve } from 'node:path';
import { formatError, MacvlabError } from '../../core/error.js';
import { PortReportFolder } from '../../report/switch-port/folder.js';
import type { PortAsked } from '../../report/switch-port/record.js';
import { failureRecord } from '../../run/failure.js';
import type { Failure } from '../../run/record.js';
import { segmentName } from '../../switch-port/answer.js';
import { statement } from '../../switch-port/validate.js';
import { untilInterrupted } from '../interruption.js';
import { notice, print } from '../output.js';
import { type GivenPortOptions, hostOf, type NamedNic, peerOf, segmentsOf } from './port-arguments.js';
import { validateHosts } from './validate-hosts.js';

/** Options from commander. */
export interface ValidateSwitchOptions extends GivenPortOptions {
  forwardDelay: number;
  maxMacs: 1 | 2;
  out: string;
  json?: string;
  junit?: string;
}

/** @returns the exit code */
export async function validateSwitch(given: ValidateSwitchOptions): Promise<number> {
  const [host, peer, segments] = [hostOf(given), peerOf(given), segmentsOf(given)];
  const { out, forwardDelay, maxMacs } = given;
  if (given.json === '-' && given.junit === '-') {
    throw new MacvlabError('USAGE', '--json and --junit cannot both be written to standard output', {
      next: 'name a file for one of them',
    });
  }
  const signal = untilInterrupted('what was made on the hosts is taken away');
  const folder = new PortReportFolder(resolve(out), process.argv.slice(2), {
    ...(given.json !== undefined && { json: fileOf(given.json) }),
    ...(given.junit !== undefined && { junit: fileOf(given.junit) }),
  });
  // If a program reads standard output, messages for a person go to standard error.
  const tell = given.json === '-' || given.junit === '-' ? notice : print;
  const delays = {
    usual: 1000 * forwardDelay,
    longest: 1000 * Math.max(forwardDelay, forwardDelay > 0 ? 30 : 0),
  };
  notice(
    `${describe(host)}${peer ? `, with ${describe(peer)}` : ''}: ${segments.map(({ vlan }) => segmentName(vlan)).join(', ')}`,
  );
  notice(...statement(segments.length, { forwardDelay: delays, maxMacs, peer: peer !== undefined }));
  const request = { host, peer, segments, forwardDelay: delays, maxMacs, signal };
  const { validation, about } = await validateHosts(request, notice).catch((error: unknown): never => {
    const asked = { host: host.address.name, nic: host.nic, vlans: segments.map(({ vlan }) => vlan) };
    reportError(folder, failureRecord(error), asked);
    throw error;
  });
  const { files, lines } = folder.write(validation, about);
  tell(...lines, '', ...files, '', validation.words);
  return validation.exit;
}

/** Writes the machine-readable report of an error. The error is printed in any case, even if this report cannot be written. */
function reportError(folder: PortReportFolder, failure: Failure, asked: PortAsked): void {
  try {
    notice(...folder.writeError(failure, asked).files);
  } catch (error) {
    notice(formatError(error));
  }
}

function fileOf(name: string): string {
  return name === '-' ? name : resolve(name);
}

function describe({ address, nic }: NamedNic): string {
  return `${nic} of ${address.name}`;
}
