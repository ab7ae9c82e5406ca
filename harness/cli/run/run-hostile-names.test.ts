import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { macvlab } from '../command-line.test-support.js';
import { needsRoot } from '../../setup/needs.test-support.js';

/** Folder names that a shell, ssh or mount could misinterpret. */
const names = [
  'two words',
  'it\'s "quoted"',
  '$(touch made)`touch made`',
  ';touch made;',
  '-rf',
  'line\nline',
  'é日本🦊',
  '%h %d',
];

/** The relative path of every file and folder in a folder. */
function below(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' });
}

describe('a run in folders with strange names (needs root)', function strange() {
  this.timeout(120_000);
  let base: string;

  before(function () {
    needsRoot(this);
  });
  beforeEach(() => (base = mkdtempSync(join(tmpdir(), 'macvlab-strange-'))));
  afterEach(() => rmSync(base, { recursive: true, force: true }));

  for (const name of names) {
    it(`is as any other: ${JSON.stringify(name)}`, async () => {
      const cwd = join(base, name);
      mkdirSync(cwd);
      const env = { MACVLAB_STATE: join(cwd, `state ${name}`) };
      const words = ['run', '--lab', 'sandbox', 'A1.1', '--reporter', 'lines', `--out=${name}`];
      const { status, stdout, stderr } = await macvlab(words, { cwd, env });
      expect(status, `${stdout}${stderr}`).to.equal(0);
      expect(readFileSync(join(cwd, name, 'latest/junit.xml'), 'utf8')).to.include('failures="0" errors="0"');
      expect(below(base).filter((file) => file.endsWith('made'))).to.deep.equal([]);
    });
  }

  it('keeps a lab for its owner alone: the state with its keys, in a folder of any name', async () => {
    const env = { MACVLAB_STATE: join(base, names.slice(0, 3).join(' ')) };
    mkdirSync(env.MACVLAB_STATE, { mode: 0o777 });
    const up = await macvlab(['lab', 'up', '--lab', 'sandbox', '--name', 'mine'], { cwd: base, env });
    try {
      expect(up.status, up.stderr).to.equal(0);
      const files = below(env.MACVLAB_STATE);
      expect(files).to.include('mine.json');
      for (const file of ['.', ...files]) {
        const { mode } = statSync(join(env.MACVLAB_STATE, file));
        expect(mode & 0o077, file).to.equal(0);
      }
      const said = await macvlab(['lab', 'shell', 'node1', '--', 'printf', '%s\\n', '$(id)', "a 'b'", '-n'], {
        cwd: base,
        env,
      });
      expect(said.stdout, said.stderr).to.equal("$(id)\na 'b'\n-n\n");
    } finally {
      await macvlab(['lab', 'down', '--name', 'mine'], { cwd: base, env });
    }
    expect(below(base).filter((file) => file.endsWith('made'))).to.deep.equal([]);
  });

  it('writes no private key into its reports', async () => {
    const { status } = await macvlab(['run', '--lab', 'sandbox', 'A1', '--out', base], { cwd: base });
    expect(status).to.equal(0);
    const files = below(base).filter((file) => statSync(join(base, file)).isFile());
    expect(files).to.have.length.above(20);
    const withKey = files.filter((file) => readFileSync(join(base, file)).includes('PRIVATE KEY'));
    expect(withKey).to.deep.equal([]);
  });

  it('refuses the name of a lab that is none', async () => {
    for (const name of ['../x', '-x', 'a b', '$(touch made)', 'a\nb', '']) {
      const { status, stderr } = await macvlab(['lab', 'up', `--name=${name}`], { cwd: base });
      expect(stderr, name).to.match(/^USAGE: /);
      expect(status, name).to.equal(2);
    }
    expect(below(base)).to.deep.equal([]);
    expect(execFileSync('ls', ['-A', base], { encoding: 'utf8' })).to.equal('');
  });
});
