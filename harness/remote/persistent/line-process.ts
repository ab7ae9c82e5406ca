/**
 * A long-lived `ip` or `bridge` that reads its commands from standard input, a line each. A line costs a seventh of a
 * process start behind a channel of its own.
 */
import type { RemoteProcess } from '../process.js';
import { mostOutput, type Outcome, Printed, type RunningCommand, TooMuchOutput } from './running-command.js';

/** Programs of iproute2 that read lines (-batch), with the options of their long-lived processes. */
const readers: ReadonlyMap<string, { options: readonly string[]; objects: ReadonlySet<string> }> = new Map([
  ['ip', { options: ['-s', '-d', '-j'], objects: new Set(['address', 'link', 'neighbour', 'netns', 'route']) }],
  ['bridge', { options: ['-d', '-j'], objects: new Set(['link', 'vlan']) }],
]);

/** A command that a long-lived process can run as a line. */
export interface Line {
  program: string;
  /** The network namespace of option -n. */
  namespace: string | undefined;
  /** The command without program and options. */
  words: readonly string[];
  /** Whether its output is data. */
  isReading: boolean;
}

/** Words that iproute2 reads from a line unchanged (lib/utils.c, makeargs: blanks, quotes, comments, continued lines). */
const plainWord = /^[\w.:/@%+,=-]+$/;
/** Words of a line: iproute2 4.x accepts 100 (lib/utils.c, do_batch). */
const mostWords = 90;
const readingVerbs = new Set(['show', 'list', 'get']);

/**
 * A command as a line for a long-lived process; undefined when it must have a process of its own. Such a process prints
 * JSON with all details, so that a reading may have more fields than requested, and only readings as JSON are lines.
 */
export function lineOf(argv: readonly string[]): Line | undefined {
  const [program = '', ...rest] = argv;
  const reader = readers.get(program);
  if (!reader) return undefined;
  const namespace = rest[0] === '-n' ? rest[1] : undefined;
  const own = namespace === undefined ? rest : rest.slice(2);
  const first = own.findIndex((word) => !word.startsWith('-'));
  if (first < 0) return undefined;
  const [options, words] = [own.slice(0, first), own.slice(first)];
  const [object = '', verb = ''] = words;
  if (!reader.objects.has(object) || !options.every((option) => reader.options.includes(option))) return undefined;
  if (words.length > mostWords || !words.every((word) => plainWord.test(word))) return undefined;
  // A name in another namespace's own mounts would be lost; the other requests of this object start programs.
  if (object === 'netns' && (namespace !== undefined || !['add', 'delete'].includes(verb))) return undefined;
  // ip keeps each namespace open that a line names, until it ends (ip/iplink.c, netns_get_fd).
  if (object !== 'netns' && words.includes('netns')) return undefined;
  const isReading = readingVerbs.has(verb);
  if (isReading && !options.includes('-j')) return undefined;
  // bridge keeps the filter of such a line for all later ones (bridge/link.c, filter_index).
  if (isReading && program === 'bridge' && words.length > 2) return undefined;
  // After a reading of links, ip shows no addresses of a device (ip/ipaddress.c, ipaddr_list_link: preferred_family, do_link).
  if (isReading && program === 'ip' && object === 'link') return undefined;
  // Without -s, a flush prints nothing.
  if (!isReading && verb !== 'flush' && options.length > 0) return undefined;
  return { program, namespace, words, isReading };
}

/**
 * Whether a line makes names of links invalid that its process remembers (lib/ll_map.c). iproute2 itself forgets only a
 * link that it has changed, and not those that disappear with it.
 */
export function makesNamesInvalid({ words }: Line): boolean {
  const [object, verb, ...rest] = words;
  if (object !== 'link') return false;
  return verb === 'delete' || (verb === 'set' && rest.includes('name'));
}

/** An error about a link that the process may remember wrongly, because another process has replaced it. */
export const missingLink = /Cannot find device|No such device|device\b.*\bnot found|does not exist/i;

/** The command that starts a long-lived process. One stream carries both outputs, which keeps their order. */
export function readerCommand(program: string, namespace: string | undefined): readonly string[] {
  const options = readers.get(program)?.options ?? [];
  const where = namespace === undefined ? [] : ['-n', namespace];
  return ['stdbuf', '-oL', program, ...where, '-force', ...options, '-batch', '-'];
}

/** sh's and stdbuf's exit statuses for a program that is missing or cannot be started (POSIX 2.8.2). */
const unstartable = new Set<number | null>([126, 127]);

interface Current {
  line: Line;
  /** The number of the milestone after it. */
  number: number;
  resolve: (outcome: Outcome | undefined) => void;
  reject: (error: unknown) => void;
  refuse: (error: TooMuchOutput) => void;
}

/** A running process. One line at a time. */
export class LineProcess {
  readonly #process: RemoteProcess;
  readonly #program: string;
  #printed = new Printed();
  #count = 0;
  #current: Current | undefined;
  #hasEnded = false;
  #isMissing = false;
  /** Whether it has answered, and so is iproute2. */
  #hasBegun = false;

  constructor(process: RemoteProcess, program: string) {
    this.#process = process;
    this.#program = program;
    process.stdin.on('error', () => undefined);
    process.stderr.resume();
    process.stdout.setEncoding('utf8').on('data', (text: string) => this.#take(text));
    process.ended.then(
      (exit) => {
        this.#hasEnded = true;
        this.#isMissing = unstartable.has(exit.status);
        // A process that never answered has not read the line.
        const outcome = this.#hasBegun ? { ...exit, stdout: '', stderr: this.#printed.text() } : undefined;
        this.#settle((current) => current.resolve(outcome));
      },
      (error: unknown) => {
        this.#hasEnded = true;
        this.#settle((current) => current.reject(error));
      },
    );
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Whether it or stdbuf does not exist on this machine. */
  get isMissing(): boolean {
    return this.#isMissing;
  }

  /** Runs a line. The caller waits for its end before it runs the next one. */
  run(line: Line): RunningCommand {
    const greeting = this.#count === 0 ? `${milestone(0)}\n` : '';
    const number = ++this.#count;
    this.#printed = new Printed();
    let refuse: Current['refuse'] = () => undefined;
    const tooMuch = new Promise<never>((_, reject) => (refuse = reject));
    tooMuch.catch(() => undefined);
    const ended = new Promise<Outcome | undefined>((resolve, reject) => {
      this.#current = { line, number, resolve, reject, refuse };
      if (this.#hasEnded) this.#settle((current) => current.resolve(undefined));
      else this.#process.stdin.write(`${greeting}${line.words.join(' ')}\n${milestone(number)}\n`);
    });
    return { ended, tooMuch, printed: () => this.#printed.text(), pids: () => [this.#process.pid] };
  }

  /** Requests its end, as the last line does. @returns settles when it has ended */
  async end(): Promise<void> {
    if (!this.#hasEnded) this.#process.stdin.end();
    await this.#process.ended.catch(() => undefined);
  }

  get pid(): number {
    return this.#process.pid;
  }

  #settle(how: (current: Current) => void): void {
    const current = this.#current;
    this.#current = undefined;
    if (current) how(current);
  }

  #take(text: string): void {
    const current = this.#current;
    // Only the process that is being killed prints without a line.
    if (!current) return;
    const searched = this.#printed.add(text);
    if (!this.#hasBegun && !this.#begin(searched)) {
      if (this.#printed.length > mostOutput) this.#refuse(current);
      return;
    }
    // The answer to the first milestone may be in the same piece.
    if (answerTo(this.#program, current.number).test(searched)) {
      const whole = this.#printed.text();
      const end = whole.search(answerTo(this.#program, current.number));
      this.#settle(({ resolve }) => resolve(outcomeOf(current.line, whole.slice(0, end))));
    } else if (this.#printed.length > mostOutput) this.#refuse(current);
  }

  #refuse(current: Current): void {
    current.refuse(new TooMuchOutput(this.#printed.text()));
    this.#printed = new Printed();
    this.#current = undefined;
  }

  /** Whether it has answered the first milestone, whose answer is then removed. */
  #begin(searched: string): boolean {
    if (!answerTo(this.#program, 0).test(searched)) return false;
    this.#hasBegun = true;
    const rest = this.#printed.text().replace(answerTo(this.#program, 0), '');
    this.#printed = new Printed();
    this.#printed.add(rest);
    return true;
  }
}

/** Not an object of ip(8) or bridge(8): a line that fails without a kernel request, so that it shows how far the process is. */
function milestone(number: number): string {
  return `milestone${number}`;
}

/** The output for a milestone (ip/ip.c, do_cmd; lib/utils.c, do_batch). */
function answerTo(program: string, number: number): RegExp {
  return new RegExp(`Object "${milestone(number)}" is unknown, try "${program} help"\\.\nCommand failed -:\\d+\n`);
}

/** iproute2's exit statuses: 2 when the kernel refuses, otherwise 1 (ip(8), EXIT STATUS). */
const refused = 2;
const failed = 1;

/** The result of a line from its output, in which JSON and the text of errors are lines of their own. */
function outcomeOf({ isReading }: Line, text: string): Outcome {
  const failure = /(?<=^|\n)Command failed -:\d+\n$/.exec(text);
  const printed = failure ? text.slice(0, failure.index) : text;
  const status = failure ? (/^RTNETLINK answers|^Error: /m.test(printed) ? refused : failed) : 0;
  const lines = printed.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const isData = (line: string) => /^[[{]/.test(line);
  // An iproute2 without JSON prints something else.
  if (!isReading || (!failure && !lines.some(isData)))
    return { status, signal: null, stdout: failure ? '' : printed, stderr: failure ? printed : '' };
  return {
    status,
    signal: null,
    stdout: lines.filter(isData).join(''),
    stderr: lines.filter((line) => !isData(line)).join(''),
  };
}
