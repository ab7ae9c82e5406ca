/** The record of a probed switch port: report.json. */

import type { Validation, SegmentReport } from '../../switch-port/validate.js';

/** report.json. */
export interface PortReport {
  schema: 1;
  /** "20261121-081500-4f2a"; also the end of the folder's name. */
  id: string;
  macvlab: string;
  arguments: string[];
  host: string;
  nic: string;
  peer?: string;
  /** Kernel release of the host. */
  kernel: string;
  /** ISO 8601, UTC. */
  startedAt: string;
  durationMs: number;
  /** The words of the last line on the terminal. */
  answer: string;
  kind: Validation['kind'];
  exit: number;
  /** The first four bytes of the children's MAC addresses. */
  macs: string;
  /** Frames that the host sent. */
  frames: number;
  /** Pcap files are paths relative to the folder. */
  segments: (SegmentReport & { pcaps: string[] })[];
}
/** The host, NIC, link peer and kernel of the port. */
export type PortAbout = Pick<PortReport, 'host' | 'nic' | 'peer' | 'kernel'>;
/** The port and the VLANs to probe. */
export interface PortAsked extends Pick<PortReport, 'host' | 'nic'> {
  vlans: readonly (number | 'untagged')[];
}
/** Additional paths of report.json and junit.xml; "-" is standard output. */
export interface ReportCopies {
  json?: string;
  junit?: string;
}
