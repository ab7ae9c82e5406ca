/** The report of a switch port: a folder with report.json, junit.xml and what was captured. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { asJson, makeFolders, pointAt, refuseUnwritable, writeWhole, writing } from '../core/report-files.js';
import { version } from '../core/version.js';
import type { Failure } from '../run/record.js';
import { newRunId, slug } from '../run/run-folder.js';
import { segmentName } from '../switch-port/answer.js';
import type { SegmentReport, Validation } from '../switch-port/validate.js';
import { portErrorXml, portJunitXml } from './port-junit.js';
import { portLines } from './port-terminal.js';

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
  /** As on the last line of the terminal. */
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

/** Whose port it is. */
export type PortAbout = Pick<PortReport, 'host' | 'nic' | 'peer' | 'kernel'>;

/** What was asked about. */
export interface PortAsked extends Pick<PortReport, 'host' | 'nic'> {
  vlans: readonly (number | 'untagged')[];
}

/** Further places of report.json and junit.xml; "-" is standard output. */
export interface ReportCopies {
  json?: string;
  junit?: string;
}

export class PortReportFolder {
  /** Absolute path. */
  readonly path: string;
  readonly #id = newRunId();
  readonly #out: string;
  readonly #arguments: string[];
  readonly #copies: ReportCopies;
  readonly #began = Date.now();

  /**
   * @param out absolute path
   * @param words the command line
   * @throws MacvlabError OUT_NOT_WRITABLE, before anything is begun whose results would have no place
   */
  constructor(out: string, words: string[], copies: ReportCopies = {}) {
    this.#out = out;
    this.#arguments = words;
    this.#copies = copies;
    this.path = join(out, `switch-${this.#id}`);
    const { json = out, junit = out } = copies;
    for (const folder of [out, dirname(json), dirname(junit)]) refuseUnwritable(folder);
  }

  /**
   * Makes `<out>/switch-<id>/`, points `<out>/latest-switch` at it, and writes all files.
   * @returns what the files are, and what a person is told, line by line
   * @throws MacvlabError OUT_NOT_WRITABLE
   */
  write({ words, pcaps, segments, ...validation }: Validation, about: PortAbout): { files: string[]; lines: string[] } {
    this.#make();
    const report: PortReport = {
      ...{ schema: 1, ...this.#when(), arguments: this.#arguments, ...about },
      answer: words,
      ...validation,
      segments: segments.map((segment) => ({ ...segment, pcaps: this.#writePcaps(segment, pcaps.get(segment.vlan)) })),
    };
    const json = [join(this.path, 'report.json'), this.#copies.json].filter((file) => file !== undefined);
    for (const file of json) place(file, asJson(report));
    this.#placeJunit(portJunitXml(report, this.path));
    return { files: [`report: ${this.path}`], lines: portLines(report) };
  }

  /**
   * Makes the folder in the same way for an error that has kept the port from an answer: with a junit.xml that says so, and no more.
   * @returns what the files are
   * @throws MacvlabError OUT_NOT_WRITABLE
   */
  writeError(failure: Failure, asked: PortAsked): { files: string[] } {
    this.#make();
    this.#placeJunit(portErrorXml(failure, asked, this.#when()));
    return { files: [`report: ${this.path}`] };
  }

  #make(): void {
    writing(this.#out, () => {
      makeFolders(this.#out);
      mkdirSync(this.path);
    });
    pointAt(this.#out, basename(this.path), 'latest-switch');
  }

  #when(): Pick<PortReport, 'id' | 'macvlab' | 'startedAt' | 'durationMs'> {
    const startedAt = new Date(this.#began).toISOString();
    return { id: this.#id, macvlab: version(), startedAt, durationMs: Date.now() - this.#began };
  }

  #placeJunit(content: string): void {
    const files = [join(this.path, 'junit.xml'), this.#copies.junit].filter((file) => file !== undefined);
    for (const file of files) place(file, content);
  }

  #writePcaps({ vlan }: SegmentReport, pcaps: ReadonlyMap<string, Buffer> = new Map()): string[] {
    return [...pcaps].map(([name, content]) => {
      const file = `${slug(`${segmentName(vlan)} ${name}`)}.pcap`;
      writing(this.path, () => writeFileSync(join(this.path, file), content));
      return file;
    });
  }
}

function place(file: string, content: string): void {
  if (file === '-') {
    process.stdout.write(content);
    return;
  }
  writing(dirname(file), () => {
    makeFolders(dirname(file));
    writeWhole(file, content);
  });
}
