import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { MacvlabError } from '../../core/error.js';
import { findEngine } from './engine-address.js';

describe('where the container engine is', () => {
  let home: string;
  beforeEach(() => (home = mkdtempSync(join(tmpdir(), 'macvlab-home-'))));
  afterEach(() => rmSync(home, { recursive: true }));

  const write = (file: string, content: unknown): void => {
    mkdirSync(dirname(join(home, file)), { recursive: true });
    writeFileSync(join(home, file), typeof content === 'string' ? content : JSON.stringify(content));
  };
  const context = (name: string, host: string, tls = false): void => {
    const id = createHash('sha256').update(name).digest('hex');
    write(`.docker/contexts/meta/${id}/meta.json`, { Name: name, Endpoints: { docker: { Host: host } } });
    if (tls) write(`.docker/contexts/tls/${id}/docker/key.pem`, '');
  };
  const find = (environment: Record<string, string> = {}) =>
    findEngine({ HOME: home, XDG_RUNTIME_DIR: join(home, 'run'), ...environment });
  const refusal = (environment: Record<string, string> = {}): MacvlabError => {
    try {
      find(environment);
    } catch (error) {
      return error as MacvlabError;
    }
    throw new Error('it was found');
  };

  it('is what DOCKER_HOST names, before any context', () => {
    write('.docker/config.json', { currentContext: 'far' });
    context('far', 'tcp://192.0.2.1:2375');
    const DOCKER_HOST = 'unix:///some/where.sock';
    expect(find({ DOCKER_HOST, DOCKER_CONTEXT: 'far' })).to.deep.equal({ host: DOCKER_HOST, origin: 'DOCKER_HOST' });
    expect(find({ DOCKER_HOST: 'tcp://192.0.2.1:2376', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/c' })).to.include({
      certificates: '/c',
    });
    expect(find({ DOCKER_HOST: 'tcp://192.0.2.1:2376', DOCKER_TLS_VERIFY: '1' })).to.include({
      certificates: join(home, '.docker'),
    });
  });

  it('is that of docker’s context, with its certificates; DOCKER_CONTEXT before the configured one', () => {
    write('.docker/config.json', { currentContext: 'far', auths: {} });
    context('far', 'tcp://192.0.2.1:2376', true);
    context('near', `unix://${home}/near.sock`);
    expect(find()).to.include({ host: 'tcp://192.0.2.1:2376', origin: 'docker’s context far' });
    expect(find()?.certificates).to.match(/contexts\/tls\/[0-9a-f]{64}\/docker$/);
    expect(find({ DOCKER_CONTEXT: 'near' })).to.deep.equal({
      host: `unix://${home}/near.sock`,
      origin: 'docker’s context near',
    });
    expect(find({ DOCKER_CONFIG: join(home, 'elsewhere'), DOCKER_HOST: 'tcp://h:1' })).to.include({
      host: 'tcp://h:1',
    });
  });

  it('is a socket of docker or podman where nothing names one', function () {
    write('.docker/config.json', { currentContext: 'default' });
    for (const name of ['run/podman/podman.sock', '.docker/run/docker.sock', 'run/docker.sock']) {
      write(name, '');
      // A machine’s own engine is the first.
      const host = find()?.host;
      if (host !== 'unix:///var/run/docker.sock') expect(host).to.equal(`unix://${join(home, name)}`);
    }
  });

  it('is not told by what is not there, or cannot be used', () => {
    expect(refusal({ DOCKER_CONTEXT: 'lost' }).message).to.equal('docker’s context lost is not there');
    expect(refusal({ DOCKER_HOST: 'ssh://me@there' }).format()).to.match(
      /cannot be reached.*ssh:\/\/me@there\n.*ssh -nNT -L/,
    );
    expect(refusal({ DOCKER_HOST: 'fd://' }).message).to.include('fd://');
    write('.docker/config.json', '{ "currentContext": ');
    expect(refusal().message).to.include('config.json does not say where');
    for (const error of [refusal(), refusal({ DOCKER_CONTEXT: 'lost' })]) expect(error.exit).to.equal(3);
  });
});
