/** A command that runs in a persistent process, and its output so far. */
import type { Exit } from '../process.js';

/** How a command ended, with its output. */
export interface Outcome extends Exit {
  stdout: string;
  stderr: string;
}

export interface RunningCommand<T extends Outcome | undefined = Outcome | undefined> {
  /**
   * Settles when the command has ended. Undefined when the persistent process could not begin with it, so that it has
   * not run. Rejects with REMOTE_DEAD when its machine is gone.
   */
  readonly ended: Promise<T>;
  /** Rejects with the first output when there is more than {@link mostOutput}. */
  readonly tooMuch: Promise<never>;
  /** Its output so far. */
  printed: () => string;
  /** The processes to kill when it does not end: its own, and the persistent one. */
  pids: () => readonly number[];
}

/** More output than a command may print. */
export class TooMuchOutput extends Error {
  /** Its beginning. */
  readonly beginning: string;

  constructor(text: string) {
    super('the command printed too much');
    this.beginning = text.slice(0, 400);
  }
}

/** Maximum output characters of a command; a normal one prints some thousands. */
export const mostOutput = 2 ** 26;

/** Text that arrives in pieces. Only its end is searched, because a search in a long text copies it as a whole. */
export class Printed {
  #pieces: string[] = [];
  #end = '';
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Adds a piece, and returns it with the end of the text before it: {@link endLength} characters. */
  add(piece: string): string {
    this.#pieces.push(piece);
    this.#length += piece.length;
    const searched = this.#end + piece;
    this.#end = searched.slice(-endLength);
    return searched;
  }

  /** The whole text. */
  text(): string {
    const text = this.#pieces.join('');
    this.#pieces = [text];
    return text;
  }
}

/** Longer than each mark. */
const endLength = 256;
