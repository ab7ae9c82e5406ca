/** A network stack on a machine: the machine's own, or that of a named network namespace. Commands run in it. */
import type { CommandLog, LoggedCommand } from './command-log.js';
import type { RemoteProcess } from './process.js';
import type { CommandResult, RunOptions, Session } from './session.js';
import type { UndoJournal } from './undo-journal.js';

/** Tools of iproute2 that enter a namespace themselves, which saves a process start. */
const entersItself = new Set(['ip', 'bridge']);

/** What a command is for; see {@link LoggedCommand}. */
export type CommandKind = LoggedCommand['kind'];

export class NetworkStack {
  /** "node1", or "node1/ns1" for a namespace on it. */
  readonly name: string;
  readonly session: Session;
  /** Name below /run/netns; undefined for the stack that the session itself is in. */
  readonly namespace: string | undefined;
  readonly log: CommandLog;

  constructor(name: string, session: Session, log: CommandLog, namespace?: string) {
    this.name = name;
    this.session = session;
    this.namespace = namespace;
    this.log = log;
  }

  /** Where undos are noted, when this is a network that outlives the lab; a namespace of the lab's own goes with it. */
  get journal(): UndoJournal | undefined {
    const { journal, translation } = this.session;
    if (this.namespace !== undefined || !journal || !translation)
      return this.namespace === undefined ? journal : undefined;
    return { note: (undo) => journal.note(undo.map((argv) => argv.map((word) => translation.sent(word)))) };
  }

  /** The deadline in milliseconds for what its machine does; see {@link Session.patience}. */
  patience(milliseconds: number): number {
    return this.session.patience(milliseconds);
  }

  /** The argument list that runs a command in this stack, from the session's own stack. */
  enter(argv: readonly string[]): string[] {
    if (this.namespace === undefined) return [...argv];
    const [program = '', ...rest] = argv;
    if (entersItself.has(program)) return [program, '-n', this.namespace, ...rest];
    return ['nsenter', `--net=/run/netns/${this.namespace}`, '--', ...argv];
  }

  /** Runs a command to its end, recorded in the log. @throws as {@link Session.run} */
  async run(argv: readonly string[], kind: CommandKind, options: RunOptions = {}): Promise<CommandResult> {
    const entry = this.note(argv, kind, typeof options.stdin === 'string' ? options.stdin : undefined);
    const result = await this.session.run(this.enter(argv), options);
    this.log.end(entry, result);
    return result;
  }

  /** What a command that was started has said, with the addresses that suites have. */
  received(text: string): string {
    return this.session.translation?.received(text) ?? text;
  }

  /** Adds a command that somebody else runs for this stack to the log. */
  note(argv: readonly string[], kind: CommandKind, stdin?: string): LoggedCommand {
    return this.log.begin({
      where: this.name,
      namespace: this.namespace,
      argv,
      kind,
      ...(stdin === undefined ? {} : { stdin }),
      ...this.#sent(argv, stdin),
    });
  }

  /** What the machine is given, where that is something else. */
  #sent(argv: readonly string[], stdin?: string): Pick<LoggedCommand, 'sent'> {
    const { translation } = this.session;
    if (!translation) return {};
    const [words, input] = [argv.map((word) => translation.sent(word)), stdin && translation.sent(stdin)];
    if (input === stdin && words.every((word, index) => word === argv[index])) return {};
    return { sent: { argv: words, ...(input !== undefined && { stdin: input }) } };
  }

  /** Starts a command whose streams the caller reads, and translates with {@link received}. @throws as {@link Session.start} */
  async start(argv: readonly string[], kind: CommandKind): Promise<RemoteProcess> {
    const entry = this.note(argv, kind);
    const process = await this.session.start(this.enter(argv));
    process.ended.then(
      (exit) => this.log.end(entry, exit),
      () => undefined,
    );
    return process;
  }
}
