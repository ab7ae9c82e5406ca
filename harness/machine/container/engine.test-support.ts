/** Support for tests that need a container engine: an engine of their own. */
import { execFileSync } from 'node:child_process';
import { type OwnEngine, startEngine, whyNoEngine } from '../../setup/engine.mjs';
import { listContainers } from './containers.js';
import { Engine } from './engine.js';
import { labLabel } from './labels.js';
import { findNodeImage } from './node-image.js';

/**
 * The reason why no lab can be created here, as the end of a title; "" if one can. CI must be able to create every lab,
 * and it creates a missing image.
 */
export function whyNoContainers(): string {
  if (process.env.CI === 'true') return '';
  const why =
    whyNoEngine() ??
    (findNodeImage() === undefined ? 'no image; `macvlab lab prepare --lab container` makes it' : undefined);
  return why === undefined ? '' : ` (skipped: ${why})`;
}

/** An engine that ends with the test. Until then, labs find it through DOCKER_HOST. */
export class TestEngine {
  readonly engine: Engine;
  readonly #own: OwnEngine;
  readonly #before = process.env.DOCKER_HOST;

  private constructor(own: OwnEngine) {
    this.#own = own;
    process.env.DOCKER_HOST = own.host;
    this.engine = new Engine({ host: own.host, origin: 'a test' });
  }

  static async start(): Promise<TestEngine> {
    return new TestEngine(await startEngine());
  }

  get host(): string {
    return this.#own.host;
  }

  /** Names and states of all containers that macvlab created. */
  async ours(): Promise<string[]> {
    return (await listContainers(this.engine, labLabel)).map(({ name, state }) => `${name} ${state}`);
  }

  async stop(): Promise<void> {
    if (this.#before === undefined) delete process.env.DOCKER_HOST;
    else process.env.DOCKER_HOST = this.#before;
    await this.#own.stop();
  }
}

/** The state of this machine that a lab must not change. */
export function hostLinks(): string {
  return execFileSync('ip', ['-d', '-j', 'link'], { encoding: 'utf8' });
}
