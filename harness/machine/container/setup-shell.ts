/** A shell in a container that runs the setup step by step. */
import { MacvlabError } from '../../core/error.js';
import { Changes, timeout } from '../../core/wait.js';
import { execute } from './containers.js';
import type { Engine } from './engine.js';
import { Multiplexed } from './multiplexed.js';
import { lacking } from './setup-script.js';

/** Milliseconds for one step. */
const stepDeadline = 30_000;

export class SetupShell {
  readonly #name: string;
  readonly #stream: Multiplexed;
  readonly #changes = new Changes();
  #said = '';

  private constructor(name: string, stream: Multiplexed) {
    this.#name = name;
    this.#stream = stream;
    stream.setEncoding('utf8').on('data', (text: string) => {
      this.#said += text;
      this.#changes.notify();
    });
    stream.on('error', () => undefined);
    stream.on('close', () => this.#changes.fail(this.#failure()));
  }

  /** @param name of the container, as messages show it */
  static async open(engine: Engine, name: string, id: string): Promise<SetupShell> {
    return new SetupShell(name, new Multiplexed(await execute(engine, id, ['sh', '-s'])));
  }

  /**
   * Runs a script, and waits for a line of its output.
   * @param answer matches that line
   * @throws MacvlabError LAB_OPEN with the script's stderr when the shell ends before; WAIT_DEADLINE
   */
  async perform(script: string, answer: RegExp): Promise<RegExpExecArray> {
    this.#stream.write(script);
    return this.#changes.until(() => answer.exec(this.#said) ?? undefined, {
      what: `${this.#name} to be prepared`,
      deadline: timeout(stepDeadline),
      evidence: () => `${this.#said}${this.#stream.words}`,
    });
  }

  close(): void {
    this.#stream.destroy();
  }

  #failure(): MacvlabError {
    const words = this.#stream.words.trim();
    if (words.includes(lacking)) {
      return new MacvlabError('ENGINE_REFUSED', `${words.split('\n').at(-1)}`, {
        evidence: `in the container ${this.#name}`,
        next: 'use an image with iproute2, tcpdump, iputils, the OpenSSH server and util-linux, or none: leave out --image',
      });
    }
    return new MacvlabError('LAB_OPEN', `the container ${this.#name} could not be prepared`, {
      evidence: words || 'its shell has ended without a word',
      next: 'where the engine’s own rules forbid mounting to containers, try --privileged, or use another lab: --lab sandbox',
    });
  }
}
