/** Every command that a lab has run, in order: the raw material of evidence and of `repro.sh`. */

export interface LoggedCommand {
  /** Milliseconds since the epoch, by the harness's clock. */
  at: number;
  /** Where it ran: "node1", "node1/ns1". */
  where: string;
  /** The network namespace's name on its machine; undefined for the machine's own stack. */
  namespace: string | undefined;
  argv: readonly string[];
  /** Sent to its standard input. */
  stdin?: string;
  /** Both as the machine was given them, where its addresses are others than the suites'. */
  sent?: { argv: readonly string[]; stdin?: string };
  /**
   * A reading changes nothing, so that a reproduction can leave it out; an undo is only worth knowing. A cable between two
   * machines was never made by a command: it stands here as what makes its like in one machine. What a container engine is asked
   * for no reproduction asks of the reader's own, nor what a command of the user's is called for, a hook: a likeness of what came of it
   * stands beside it, and is never performed. A program of the harness's own is one that only the harness can talk to.
   */
  kind: 'change' | 'reading' | 'probe' | 'capture' | 'harness' | 'undo' | 'cable' | 'engine' | 'hook' | 'likeness';
  status?: number | null;
  /** Milliseconds. */
  duration?: number;
  /** For a change: the value before and after it, as read back. */
  before?: unknown;
  after?: unknown;
  /** The first kilobytes of both streams. */
  output?: string;
}

const kept = 8192;

/** The commands of one lab, with marks so that a test's share can be told. */
export class CommandLog {
  readonly #entries: LoggedCommand[] = [];

  /** Adds a command that begins, and returns its entry to be completed. */
  begin(entry: Omit<LoggedCommand, 'at'>): LoggedCommand {
    const logged = { at: Date.now(), ...entry };
    this.#entries.push(logged);
    return logged;
  }

  /** Completes an entry. */
  end(entry: LoggedCommand, result: { status: number | null; stdout?: string; stderr?: string }): void {
    entry.status = result.status;
    entry.duration = Date.now() - entry.at;
    const output = `${result.stdout ?? ''}${result.stderr ?? ''}`;
    if (output)
      entry.output = output.length > kept ? `${output.slice(0, kept)}\n[cut: ${output.length} bytes in all]` : output;
  }

  /** A place in the log; `since` returns what came after it. */
  mark(): number {
    return this.#entries.length;
  }

  /** The commands between two marks. */
  between(from: number, to = this.#entries.length): LoggedCommand[] {
    return this.#entries.slice(from, to);
  }
}
