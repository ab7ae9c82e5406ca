import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { MacvlabError } from '../core/error.js';
import type { RunRecord, TestRecord } from './record.js';
import { readRun } from './read-run.js';
import { RunFolder, newRunId, slug } from './run-folder.js';

const run: RunRecord = {
  schema: 1,
  id: '20261121-081500-4f2a',
  macvlab: '0.1.0',
  arguments: ['run', '--lab', 'sandbox'],
  lab: 'sandbox',
  kernel: '6.1.0',
  machine: 'bench1',
  tools: { tcpdump: '4.99.3' },
  startedAt: '2026-11-21T08:15:00.123Z',
  planned: 2,
  interrupted: false,
};

function record(number: number, given: Partial<TestRecord> = {}): TestRecord {
  return {
    schema: 2,
    key: 'a1-vepa-to-sibling',
    number,
    id: 'A1.3',
    title: 'mode vepa',
    suite: 'A1 modes',
    file: 'suites/a1-modes.ts',
    modes: ['vepa'],
    verdict: 'failed',
    reason: 'no reply',
    failure: { code: 'ASSERTION', message: 'no reply' },
    observed: { mode: 'vepa', frames: 3, seen: false },
    lab: 'sandbox',
    kernel: '6.1.0',
    startedAt: '2026-11-21T08:15:00.500Z',
    durationMs: 34.5,
    assertions: 2,
    frames: 3,
    evidence: [{ kind: 'pcap', file: 'evidence/001-a1.3/node1.pcap', title: 'frames on node1' }],
    ...given,
  };
}

/** The MacvlabError that the work throws. */
async function errorOf(work: () => unknown): Promise<MacvlabError> {
  try {
    await work();
  } catch (error) {
    expect(error).to.be.instanceOf(MacvlabError);
    return error as MacvlabError;
  }
  throw new Error('there was no error');
}

describe("a run's folder", () => {
  let out = '';

  beforeEach(() => {
    out = mkdtempSync(join(tmpdir(), 'macvlab-run-'));
  });

  afterEach(() => {
    rmSync(out, { recursive: true, force: true });
  });

  it('is made with the run in it, also where `out` is new', () => {
    const folder = RunFolder.create(join(out, 'new', 'reports'), run);
    expect(folder.path).to.equal(join(out, 'new', 'reports', run.id));
    expect(readdirSync(folder.path).sort()).to.deep.equal(['evidence', 'records', 'run.json']);
    expect(JSON.parse(readFileSync(join(folder.path, 'run.json'), 'utf8'))).to.deep.equal(run);
  });

  it('tells at the end of a record that could not be written, though there is room again', async () => {
    const folder = RunFolder.create(out, run);
    rmSync(join(folder.path, 'records'), { recursive: true });
    expect(() => folder.writeRecord(record(1)))
      .to.throw(MacvlabError)
      .with.property('code', 'OUT_NOT_WRITABLE');
    mkdirSync(join(folder.path, 'records'));
    folder.writeRecord(record(2));
    const failure = await folder.written().catch((error: unknown) => error);
    expect(failure).to.include({ code: 'OUT_NOT_WRITABLE', message: `reports cannot be written to ${folder.path}` });
  });

  it('is read back as it was written, in the order of the numbers', async () => {
    const folder = RunFolder.create(out, run);
    const records = [record(1000), record(2, { key: '漢字' }), record(10, { id: 'X1' })];
    for (const one of records) folder.writeRecord(one);
    const ended = { ...run, endedAt: '2026-11-21T08:16:00.000Z', durationMs: 60_000, exit: 1 };
    folder.finish(ended);
    const [thousandth, second, tenth] = records;
    expect(await readRun(join(out, 'latest'))).to.deep.include({ run: ended, records: [second, tenth, thousandth] });
    expect((await readRun(folder.path)).folder).to.equal(folder.path);
  });

  it('names records by number and key, evidence by number and id, and leaves no unfinished file', () => {
    const folder = RunFolder.create(out, run);
    const path = folder.writeRecord(record(1, { key: 'Mode vepa: ../../etc/Ünïcode' }));
    expect(path).to.equal(join(folder.path, 'records', '001-mode-vepa-etc-unicode.json'));
    expect(readdirSync(join(folder.path, 'records'))).to.have.lengthOf(1);
    const evidence = folder.evidenceFolder({ number: 1, id: 'A1.3' });
    expect(evidence).to.deep.equal({ relative: 'evidence/001-a1.3', absolute: join(folder.path, 'evidence/001-a1.3') });
    expect(folder.evidenceFolder(record(1))).to.deep.equal(evidence);
    expect(existsSync(evidence.absolute)).to.equal(true);
  });

  it('is what `latest` points at', () => {
    RunFolder.create(out, run);
    expect(readlinkSync(join(out, 'latest'))).to.equal(run.id);
    RunFolder.create(out, { ...run, id: 'second' });
    expect(readlinkSync(join(out, 'latest'))).to.equal('second');
    expect(readdirSync(out).sort()).to.deep.equal([run.id, 'latest', 'second']);
  });

  it('leaves a file or folder alone that is called `latest`', () => {
    writeFileSync(join(out, 'latest'), 'mine');
    RunFolder.create(out, run);
    expect(readFileSync(join(out, 'latest'), 'utf8')).to.equal('mine');
    rmSync(join(out, 'latest'));
    mkdirSync(join(out, 'latest'));
    RunFolder.create(out, { ...run, id: 'second' });
    expect(lstatSync(join(out, 'latest')).isDirectory()).to.equal(true);
  });

  it('cannot be made where a file is in the way', async () => {
    writeFileSync(join(out, 'file'), '');
    for (const where of [join(out, 'file'), join(out, 'file', 'deeper')]) {
      const error = await errorOf(() => RunFolder.create(where, run));
      expect(error).to.include({ code: 'OUT_NOT_WRITABLE', message: `reports cannot be written to ${where}` });
      expect(error.next).to.include('in the way').and.include('--out');
    }
  });

  it('cannot be made where nobody may write', async () => {
    const error = await errorOf(() => RunFolder.create('/proc/macvlab', run));
    expect(error).to.include({ code: 'OUT_NOT_WRITABLE', exit: 2 });
  });

  it('cannot be made twice', async () => {
    const folder = RunFolder.create(out, run);
    expect((await errorOf(() => RunFolder.create(out, run))).code).to.equal('OUT_NOT_WRITABLE');
    expect(existsSync(join(folder.path, 'run.json'))).to.equal(true);
  });

  it('tells when it goes away under the run', async () => {
    const folder = RunFolder.create(out, run);
    rmSync(folder.path, { recursive: true });
    expect((await errorOf(() => folder.writeRecord(record(1)))).code).to.equal('OUT_NOT_WRITABLE');
  });
});

describe('reading a run', () => {
  let out = '';
  let folder: RunFolder;

  beforeEach(() => {
    out = mkdtempSync(join(tmpdir(), 'macvlab-run-'));
    folder = RunFolder.create(out, run);
    folder.writeRecord(record(1));
  });

  afterEach(() => {
    rmSync(out, { recursive: true, force: true });
  });

  it('names the file that is cut short', async () => {
    const file = join(folder.path, 'records', '002-a1.4-cut.json');
    writeFileSync(file, '{ "schema": 1, "numb');
    const error = await errorOf(() => readRun(folder.path));
    expect(error).to.include({ code: 'USAGE', message: `${file} cannot be read as part of a run` });
    expect(error.evidence).to.include('JSON');
  });

  it('names the field that is wrong', async () => {
    writeFileSync(join(folder.path, 'records', '002-x.json'), JSON.stringify({ ...record(2), verdict: 'green' }));
    expect((await errorOf(() => readRun(folder.path))).evidence).to.include('verdict');
  });

  it('reads records of schema 1, which have no key: finds the key by id and title', async () => {
    const write = (name: string, one: object) => writeFileSync(join(folder.path, 'records', name), JSON.stringify(one));
    const { key: _, ...old } = record(2, { id: 'A1.3', title: 'vepa: ns1 reaches the gateway' });
    write('002-x.json', { ...old, schema: 1 });
    write('003-x.json', { ...old, number: 3, schema: 1, title: 'a title of another version' });
    const [, known, unknown] = (await readRun(folder.path)).records;
    expect(known).to.deep.equal({ ...old, schema: 2, key: 'a1-vepa-to-gateway' });
    expect(unknown?.key).to.match(/^old-a1-3-a-title-of-another-version-/);
    write('003-x.json', { ...old, number: 3, schema: 2 });
    expect((await errorOf(() => readRun(folder.path))).evidence).to.include('key');
  });

  it('refuses records of another schema and files that are no records', async () => {
    const file = join(folder.path, 'records', '002-x.json');
    writeFileSync(file, JSON.stringify({ ...record(2), schema: 3 }));
    const other = await errorOf(() => readRun(folder.path));
    expect(other.message).to.equal(`${file} has schema 3, which this version of macvlab does not read`);
    expect(other.next).to.include('the version of macvlab that wrote it');
    rmSync(file);
    writeFileSync(join(folder.path, 'records', 'notes.txt'), 'hello');
    expect((await errorOf(() => readRun(folder.path))).message).to.include('notes.txt');
  });

  it('says what is no run at all', async () => {
    const error = await errorOf(() => readRun(join(out, 'nothing')));
    expect(error).to.include({ code: 'USAGE', exit: 2 });
    expect(error.next).to.include('reports/latest');
  });

  it('passes over what a killed run left unfinished, and keeps what a newer macvlab adds', async () => {
    writeFileSync(join(folder.path, 'records', '.002-a1.4-x.json.123'), '{ "sch');
    writeFileSync(join(folder.path, 'records', '003-x.json'), JSON.stringify({ ...record(3), added: true }));
    const { records } = await readRun(folder.path);
    expect(records.map(({ number }) => number)).to.deep.equal([1, 3]);
    expect(records[1]).to.have.property('added', true);
  });
});

describe('names', () => {
  it('of runs are UTC time and random digits', () => {
    const date = new Date('2026-11-21T08:15:00.999Z');
    expect(newRunId(date, () => 0x4f2a / 0x10000)).to.equal('20261121-081500-4f2a');
    expect(newRunId(date, () => 0)).to.equal('20261121-081500-0000');
    expect(newRunId()).to.match(/^\d{8}-\d{6}-[0-9a-f]{4}$/);
  });

  it('of files are safe whatever the title', () => {
    const titles = ['--rf /', '../../x', '..', '', '漢字', 'A1.3', '.hidden', 'a\u0000b\nc', 'Größe: 1.5', '-x-'];
    expect(titles.map(slug)).to.deep.equal([
      'rf',
      'x',
      'test',
      'test',
      'test',
      'a1.3',
      'hidden',
      'a-b-c',
      'gro-e-1.5',
      'x',
    ]);
    expect(slug('x'.repeat(500))).to.have.lengthOf(48);
    expect(slug(`${'x'.repeat(47)}-y`)).to.equal('x'.repeat(47));
  });
});
