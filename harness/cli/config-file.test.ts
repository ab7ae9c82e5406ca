import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { MacvlabError } from '../core/error.js';
import { readConfig } from './config-file.js';

describe('the configuration file', () => {
  let folder = '';
  let file = '';

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'macvlab-config-'));
    file = join(folder, 'macvlab.config.yaml');
  });

  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  function refused(text: string): MacvlabError {
    writeFileSync(file, text);
    try {
      readConfig(file);
    } catch (error) {
      expect(error).to.be.instanceOf(MacvlabError);
      expect(error).to.include({ code: 'USAGE', exit: 2 });
      expect((error as MacvlabError).message).to.include(file);
      return error as MacvlabError;
    }
    throw new Error('it was accepted');
  }

  it('gives options, and folders relative to itself', () => {
    writeFileSync(
      file,
      'lab: sandbox\nmode: vepa\njobs: 2\nkeep: on-failure\nbail: true\nout: results\ninventory: hosts.yaml\nreporter: [lines, json]\n',
    );
    expect(readConfig(file)).to.deep.equal({
      lab: 'sandbox',
      mode: 'vepa',
      jobs: 2,
      keep: 'on-failure',
      bail: true,
      out: join(folder, 'results'),
      inventory: join(folder, 'hosts.yaml'),
      reporter: ['lines', 'json'],
    });
  });

  it('may be empty, or name one reporter', () => {
    writeFileSync(file, '# nothing yet\n');
    expect(readConfig(file)).to.deep.equal({});
    writeFileSync(file, 'reporter: lines\n');
    expect(readConfig(file)).to.deep.equal({ reporter: ['lines'] });
  });

  it('must be there when it is named', () => {
    expect(() => readConfig(file)).to.throw(MacvlabError, 'it cannot be read');
    mkdirSync(file);
    expect(() => readConfig(file)).to.throw(MacvlabError, 'it cannot be read');
  });

  it('is refused when it is half written, with the place', () => {
    expect(refused('lab: [sand').evidence).to.include('line');
    expect(refused('lab: sandbox\nlab: sandbox\n').evidence).to.include('line 2');
    expect(refused('lab: "sand').message).to.include('not YAML');
  });

  it('is refused with a key that there is not, naming those that there are', () => {
    const error = refused('labb: sandbox\n');
    expect(error.message).to.include('labb: there is no such key');
    expect(error.evidence).to.include('lab, kernel, modules, guests, boot, image, privileged, inventory, mode');
  });

  for (const [text, said] of [
    ['lab: mars\n', 'lab: "mars" is not allowed; allowed: auto, sandbox, vm'],
    ['image: 3\n', 'image: 3 is not allowed; allowed: the name of a container image'],
    ['privileged: 1\n', 'privileged: 1 is not allowed; allowed: true, false'],
    ['inventory: [a]\n', 'inventory: ["a"] is not allowed; allowed: a file'],
    ['guests: 2\n', 'guests: 2 is not allowed; allowed: 1, 3'],
    ['mode: macvtap\n', 'allowed: private, vepa, bridge, passthru, source'],
    ['keep: yes\n', 'keep: "yes" is not allowed; allowed: never, on-failure, always'],
    ['bail: maybe\n', 'bail: "maybe" is not allowed; allowed: true, false'],
    ['jobs: 0\n', 'jobs: 0 is not allowed'],
    ['reporter: []\n', 'reporter: [] is not allowed; allowed: one or a list of terminal'],
    ['reporter: [lines, html]\n', '["lines","html"] is not allowed'],
    ['out: 3\n', 'out: 3 is not allowed'],
    ['- lab\n', 'not a mapping'],
    ['lab\n', 'not a mapping'],
  ] as const) {
    it(`is refused with ${JSON.stringify(text)}`, () => {
      expect(refused(text).message).to.include(said);
    });
  }
});
