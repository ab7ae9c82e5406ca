/** A network stack on a machine: the machine's own, or that of a named network namespace. */
import type { CommandLog, LoggedCommand } from './command-log.js';
import type { RemoteProcess } from './process.js';
import type { CommandResult, RunOptions, Session } from './session.js';
import type { UndoJournal } from './undo-journal.js';

/** Tools of iproute2 with an option for the namespace, which saves a process start. */
const entersItself = new Set(['ip', 'bridge']);

/** What a command is for; see {@link LoggedCommand}. */
export type CommandKind = LoggedCommand['kind'];

export class NetworkStack {
  /** "node1", or "node1/ns1" for a namespace on it. */
  readonly name: string;
  readonly session: Session;
  /** Name below /run/netns; undefined for the session's own stack. */
  readonly namespace: string | undefined;
  readonly log: CommandLog;

  constructor(name: string, session: Session, log: CommandLog, namespace?: string) {
    this.name = name;
    this.session = session;
    this.namespace = namespace;
    this.log = log;
  }

  /** Records undos, when this network outlives the lab; a namespace of the lab's own is removed with the lab. */
  get journal(): UndoJournal | undefined {
    const { journal, translation } = this.session;
    if (this.namespace !== undefined || !journal || !translation)
      return this.namespace === undefined ? journal : undefined;
    return { note: (undo) => journal.note(undo.map((argv) => argv.map((word) => translation.sent(word)))) };
  }

  /** The deadline in milliseconds for an action of its machine; see {@link Session.timeout}. */
  timeout(milliseconds: number): number {
    return this.session.timeout(milliseconds);
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

  /** The output of a started command, with the addresses that suites use. */
  received(text: string): string {
    return this.session.translation?.received(text) ?? text;
  }

  /** Adds a command that other code runs for this stack to the log. */
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

  /** The text that is sent to the machine, where it differs. */
  #sent(argv: readonly string[], stdin?: string): Pick<LoggedCommand, 'sent'> {
    const { translation } = this.session;
    if (!translation) return {};
    const [words, input] = [argv.map((word) => translation.sent(word)), stdin && translation.sent(stdin)];
    if (input === stdin && words.every((word, index) => word === argv[index])) return {};
    return { sent: { argv: words, ...(input !== undefined && { stdin: input }) } };
  }

  /** Starts a command that can be signalled, and whose output matters only after its end. @throws as {@link Session.launch} */
  async launch(argv: readonly string[], kind: CommandKind): Promise<{ pid: number; ended: Promise<CommandResult> }> {
    const entry = this.note(argv, kind);
    const launched = await this.session.launch(this.enter(argv));
    launched.ended.then(
      (result) => this.log.end(entry, result),
      () => undefined,
    );
    return launched;
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
