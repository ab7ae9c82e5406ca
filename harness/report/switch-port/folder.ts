/** The report of a switch port: a folder with report.json, junit.xml and the captures. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { asJson, makeFolders, pointAt, refuseUnwritable, writeWhole, writing } from '../../core/report-files.js';
import { version } from '../../core/version.js';
import type { Failure } from '../../run/record.js';
import { newRunId, slug } from '../../run/run-folder.js';
import { segmentName } from '../../switch-port/answer.js';
import type { SegmentReport, Validation } from '../../switch-port/validate.js';
import { portErrorXml, portJunitXml } from './junit.js';
import { portLines } from './terminal.js';
import type { PortAbout, PortAsked, PortReport, ReportCopies } from './record.js';

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
   * @throws MacvlabError OUT_NOT_WRITABLE, before any work begins whose results could not be stored
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
   * @returns a line about the files, and the report for the user, line by line
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
   * Makes the folder for an error that kept the port from an answer. It has only a junit.xml with the error.
   * @returns a line about the files
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
