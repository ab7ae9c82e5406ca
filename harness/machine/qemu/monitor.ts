/** QEMU's monitor, as far as macvlab needs it: one JSON object per line, in both directions (QEMU, docs/interop/qmp-spec). */
import type { Socket } from 'node:net';
import { MacvlabError } from '../../core/error.js';
import { Changes } from '../../core/wait.js';
import { quoteArgument } from '../../remote/quote.js';

interface Message {
  return?: unknown;
  error?: { desc?: string };
  event?: string;
  data?: { status?: string };
}

export class Monitor {
  readonly #socket: Socket;
  readonly #changes = new Changes();
  readonly #messages: Message[] = [];
  #rest = '';

  /** @param death aborts when QEMU is gone */
  constructor(socket: Socket, death: AbortSignal) {
    this.#socket = socket;
    socket.setEncoding('utf8').on('data', (text: string) => this.#read(text));
    death.addEventListener('abort', () => this.#changes.fail(death.reason));
  }

  /**
   * Writes the state of the running machine into a file: its memory and its devices. Afterwards QEMU has stopped it.
   * @param file does not exist yet; it appears when it is complete
   * @param deadline milliseconds
   * @throws MacvlabError PROGRAM_FAILED with QEMU's reason, WAIT_DEADLINE
   */
  async save(file: string, deadline: number): Promise<void> {
    await this.#execute('qmp_capabilities', {}, deadline);
    await this.#execute(
      'migrate-set-capabilities',
      { capabilities: [{ capability: 'events', state: true }] },
      deadline,
    );
    // The default protects a network: 128 MB per second.
    await this.#execute('migrate-set-parameters', { 'max-bandwidth': 2 ** 40 }, deadline);
    const [part, whole] = [quoteArgument(`${file}.part`), quoteArgument(file)];
    await this.#execute('migrate', { uri: `exec:cat >${part} && mv ${part} ${whole}` }, deadline);
    const ended = () =>
      this.#messages.find(
        ({ event, data }) => event === 'MIGRATION' && /^(completed|failed)$/.test(data?.status ?? ''),
      );
    const end = await this.#changes.until(ended, { what: 'QEMU to save a guest’s state', deadline });
    if (end.data?.status !== 'completed') throw refused('the state of a guest could not be written');
  }

  async #execute(command: string, parameters: object, deadline: number): Promise<void> {
    const before = this.#messages.length;
    this.#socket.write(`${JSON.stringify({ execute: command, arguments: parameters })}\n`);
    const answered = () => this.#messages.slice(before).find((message) => 'return' in message || 'error' in message);
    const answer = await this.#changes.until(answered, { what: `QEMU to run ${command}`, deadline });
    if (answer.error) throw refused(`QEMU refuses ${command}: ${answer.error.desc ?? 'without a reason'}`);
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    this.#messages.push(...lines.filter((line) => line.trim() !== '').map((line) => JSON.parse(line) as Message));
    this.#changes.notify();
  }
}

function refused(message: string): MacvlabError {
  return new MacvlabError('PROGRAM_FAILED', message, { next: 'use --boot, which needs no state' });
}
