import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { RunRecord } from '../../run/record.js';
import { main } from '../command-line.test-support.js';
import { needsRoot } from '../../setup/needs.test-support.js';

describe('a run that is interrupted (needs root)', function interrupted() {
  this.timeout(60_000);
  let out: string;

  before(function () {
    needsRoot(this);
  });
  beforeEach(() => (out = mkdtempSync(join(tmpdir(), 'macvlab-interrupted-'))));
  afterEach(() => rmSync(out, { recursive: true, force: true }));

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`by ${signal}: ends with 130, and its reports say that it is not whole`, async () => {
      const words = ['run', '--lab', 'sandbox', '--jobs', '1', '--reporter', 'lines,junit', '--out', out];
      const child = spawn(process.execPath, [main, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
      let said = '';
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (more: string) => {
          const told = () => /[AX]\d\.\d/.test(said);
          const before = told();
          said += more;
          if (!before && told()) child.kill(signal);
        });
      }
      const [status] = (await once(child, 'close')) as [number | null];
      expect(status, said).to.equal(130);
      const run = JSON.parse(readFileSync(join(out, 'latest/run.json'), 'utf8')) as RunRecord;
      expect(run).to.include({ interrupted: true });
      expect(readFileSync(join(out, 'latest/junit.xml'), 'utf8')).to.match(/<error type="INTERRUPTED"/);
    });
  }
});
