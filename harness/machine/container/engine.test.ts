import { expect } from 'chai';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MacvlabError } from '../../core/error.js';
import { hasImage, importImage, listContainers, removeContainer, versionOf } from './containers.js';
import { Engine } from './engine.js';
import { whyUnsuitable } from './open-engine.js';
import { needsRoot } from '../../setup/needs.test-support.js';

/** Responses that the engines here do not send: from an old one, from a broken one. Real engines are in container.engine.test.ts. */
describe('a container engine', () => {
  let folder: string;
  let server: Server | undefined;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'macvlab-engine-'))));
  afterEach(() => {
    server?.close();
    server = undefined;
    rmSync(folder, { recursive: true });
  });

  const socket = () => join(folder, 'engine.sock');
  const address = () => ({ host: `unix://${socket()}`, origin: 'a test' });
  async function answering(listener: RequestListener): Promise<Engine> {
    server = createServer(listener).listen(socket());
    await once(server, 'listening');
    return new Engine(address());
  }
  async function failure(work: Promise<unknown>): Promise<MacvlabError> {
    const error: unknown = await work.then(
      () => new Error('it succeeded'),
      (reason: unknown) => reason,
    );
    expect(error).to.be.instanceOf(MacvlabError);
    return error as MacvlabError;
  }

  it('that is not there, or at whose socket nobody listens, is missing', async () => {
    const nowhere = await failure(versionOf(new Engine(address())));
    expect(nowhere.format()).to.match(/^ENGINE_MISSING: .* \(a test\) does not answer\n.*ENOENT/);
    writeFileSync(socket(), '');
    expect((await failure(versionOf(new Engine(address())))).format()).to.match(/ENGINE_MISSING.*\n.*ECONNREFUSED/);
    expect(nowhere.exit).to.equal(3);
  });

  it('that is no engine is refused: neither JSON nor an address', async () => {
    const engine = await answering((_, response) => response.end('<html>'));
    expect((await failure(versionOf(engine))).format()).to.match(/^ENGINE_REFUSED: .*is no JSON[^]*<html>/);
    for (const host of ['tcp://[::', 'unix:///%zz']) {
      expect(() => new Engine({ host, origin: 'a test' }), host)
        .to.throw(MacvlabError, 'a test names no address')
        .with.property('code', 'ENGINE_MISSING');
    }
  });

  it('that this user may not speak with is missing, and says what to do (needs root)', async function () {
    needsRoot(this);
    const engine = await answering((_, response) => response.end('{}'));
    chmodSync(socket(), 0o600);
    chmodSync(folder, 0o755);
    process.seteuid!(65_534);
    let asking: Promise<MacvlabError>;
    try {
      asking = failure(versionOf(engine));
    } finally {
      process.seteuid!(0);
    }
    expect((await asking).format()).to.match(/may not be used by this user\n.*EACCES.*\n.*next: .*sudo/);
  });

  it('that does not answer in time is told, with what was asked of it', async () => {
    const engine = await answering(() => undefined);
    const error = await failure(versionOf(engine, 50));
    expect(error.message).to.match(/waited \d+ ms for the container engine to tell its version/);
    server?.closeAllConnections();
  });

  it('that is none is refused', async () => {
    const engine = await answering((_, response) => response.end('{"hello": "world"}'));
    expect((await failure(versionOf(engine))).format()).to.match(/^ENGINE_REFUSED: .*version cannot be read/);
  });

  it('is refused when it is too old, of another system, or of another architecture without an image for it', () => {
    const good = { version: '20.10.24', api: '1.41', system: 'linux', architecture: 'amd64' };
    expect(whyUnsuitable(good, true)).to.equal(undefined);
    expect(whyUnsuitable({ ...good, api: '1.100' }, true)).to.equal(undefined);
    expect(whyUnsuitable({ ...good, version: '18.09', api: '1.39' }, true)).to.match(
      /too old: 18\.09 .* 1\.39.* 1\.41/,
    );
    expect(whyUnsuitable({ ...good, system: 'windows' }, true)).to.include('windows');
    expect(whyUnsuitable({ ...good, architecture: 'arm64' }, true)).to.include('--image');
    expect(whyUnsuitable({ ...good, architecture: 'arm64' }, false)).to.equal(undefined);
  });

  it('is quoted when it refuses something; what is not there is an answer', async () => {
    const engine = await answering((request, response) => {
      response.statusCode = request.url?.startsWith('/images/gone/') || request.method === 'DELETE' ? 404 : 500;
      response.end(JSON.stringify({ message: 'the disk is full' }));
    });
    expect((await failure(listContainers(engine, 'label'))).message).to.equal(
      'the container engine could not list containers: the disk is full',
    );
    expect(await hasImage(engine, 'gone')).to.equal(false);
    await removeContainer(engine, 'gone');
  });

  it('that fails while it takes in an image is heard, though it began well', async () => {
    const engine = await answering((request, response) => {
      request.resume().on('end', () => response.end('{"status":"begun"}\n{"error":"unexpected EOF"}\n'));
    });
    const file = join(folder, 'image.tar');
    writeFileSync(file, 'no archive');
    const error = await failure(importImage(engine, file, 'image', 'tag'));
    expect(error.message).to.include('import the image image:tag').and.include('unexpected EOF');
    expect((await failure(importImage(engine, join(folder, 'none'), 'image', 'tag'))).evidence).to.include('ENOENT');
  });
});
