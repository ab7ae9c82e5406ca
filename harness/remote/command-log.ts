/** All commands of a lab, in order, for evidence and for `repro.sh`. */

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
  /** Both as sent to the machine, where it has other addresses than the suites. */
  sent?: { argv: readonly string[]; stdin?: string };
  /**
   * A reading changes nothing, so that a reproduction can leave it out. An undo is information only. A cable between
   * two machines exists without a command: its entry is the command for an equal cable in one machine. A reproduction
   * runs neither the commands of a container engine (engine) nor the user's own (hook). The likeness next to them is a
   * command with an equal result, which the lab never runs. A harness entry is a program that only the harness can use.
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

/** The commands of one lab, with marks that separate the commands of each test. */
export class CommandLog {
  readonly #entries: LoggedCommand[] = [];

  /** Adds a command at its start, and returns its entry to be completed. */
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

  /** A position in the log, for `between`. */
  mark(): number {
    return this.#entries.length;
  }

  /** The commands between two marks. */
  between(from: number, to = this.#entries.length): LoggedCommand[] {
    return this.#entries.slice(from, to);
  }
}
