/** The report of a switch port: a folder with report.json, junit.xml and what was captured. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { asJson, makeFolders, pointAt, writeWhole, writing } from '../core/report-files.js';
import { version } from '../core/version.js';
import { newRunId, slug } from '../run/run-folder.js';
import { segmentName } from '../switch-port/answer.js';
import type { SegmentReport, Validation } from '../switch-port/validate.js';
import { portJunitXml } from './port-junit.js';
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

export class PortReportFolder {
  /** Absolute path. */
  readonly path: string;
  readonly #id: string;
  readonly #arguments: string[];
  readonly #began = Date.now();

  private constructor(path: string, id: string, words: string[]) {
    this.path = path;
    this.#id = id;
    this.#arguments = words;
  }

  /** Makes `<out>/switch-<id>/`, and points `<out>/latest-switch` at it. @throws MacvlabError OUT_NOT_WRITABLE */
  static create(out: string, words: string[]): PortReportFolder {
    const id = newRunId();
    const path = join(out, `switch-${id}`);
    writing(out, () => {
      makeFolders(out);
      mkdirSync(path);
    });
    pointAt(out, `switch-${id}`, 'latest-switch');
    return new PortReportFolder(path, id, words);
  }

  /**
   * Writes all files.
   * @param copies further places of report.json and junit.xml
   * @returns what the files are, and what a person is told, line by line
   * @throws MacvlabError OUT_NOT_WRITABLE
   */
  write(
    { words, pcaps, segments, ...validation }: Validation,
    about: PortAbout,
    copies: { json?: string; junit?: string },
  ): { files: string[]; lines: string[] } {
    const report: PortReport = {
      ...{ schema: 1, id: this.#id, macvlab: version(), arguments: this.#arguments, ...about },
      startedAt: new Date(this.#began).toISOString(),
      durationMs: Date.now() - this.#began,
      answer: words,
      ...validation,
      segments: segments.map((segment) => ({ ...segment, pcaps: this.#writePcaps(segment, pcaps.get(segment.vlan)) })),
    };
    const json = [join(this.path, 'report.json'), copies.json].filter((file) => file !== undefined);
    const junit = [join(this.path, 'junit.xml'), copies.junit].filter((file) => file !== undefined);
    for (const file of json) place(file, asJson(report));
    for (const file of junit) place(file, portJunitXml(report, this.path));
    return { files: [`report: ${this.path}`], lines: portLines(report) };
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
  writing(dirname(file), () => {
    makeFolders(dirname(file));
    writeWhole(file, content);
  });
}
