/** A sabotage put into effect on the sessions of a lab, behind the back of everything that uses them. */
import { messageOf } from '../core/error.js';
import type { BatchCommand } from '../remote/batch.js';
import type { Session } from '../remote/session.js';
import { jump } from './clock.js';
import { fill } from './fill.js';
import type { Attack, Sabotage } from './sabotage.js';

type Way<W extends Attack['way']> = Extract<Attack, { way: W }>;
type OnCommand = Extract<Attack, { command: RegExp }>;
type Perform = (script: string, fatal?: boolean) => Promise<void>;

/** What every script can use: a command in a node's or an endpoint's network stack. */
const preamble = 'set -e\nin_stack() { stack=$1; shift; nsenter --net=/run/netns/"$stack" -- "$@"; }\n';

/** Where the machine keeps what a replaced program consists of. */
const folder = '/run/macvlab';

export class Strike {
  /** Attacks that have not been made so far: what never struck proves nothing. */
  readonly pending: Set<Attack>;
  /** Why an attack could not be made. */
  trouble: string | undefined;
  readonly #attacks: readonly Attack[];
  readonly #out: string;
  readonly #sessions = new Set<Session>();
  #perform: Perform | undefined;
  #session: Pick<Session, 'run'> | undefined;

  /** @param out where the run writes */
  constructor({ attacks }: Pick<Sabotage, 'attacks'>, out: string) {
    this.#attacks = attacks;
    this.#out = out;
    // A full disk is the launcher's to make.
    this.pending = new Set(attacks.filter(({ way }) => way !== 'disk'));
  }

  /** Lets the attacks on commands reach a session. */
  arm(session: Session): void {
    if (this.#sessions.has(session)) return;
    this.#sessions.add(session);
    const [run, batch, start] = [session.run.bind(session), session.batch.bind(session), session.start.bind(session)];
    const here: Perform = async (script, fatal = false) => {
      const result = await run(['sh', '-c', preamble + script]).catch((error: unknown) => {
        // A script that takes its own session down has done what it was to do.
        if (!fatal) this.trouble ??= messageOf(error);
      });
      if (result && result.status !== 0) this.trouble ??= result.stderr.trim() || `status ${result.status}`;
    };
    this.#session ??= { run };
    this.#perform ??= here;
    session.run = async (argv, options) => {
      const result = await run(this.#rewritten(argv), options);
      await this.#behind([argv], here);
      return result;
    };
    session.start = async (argv) => {
      const process = await start(this.#rewritten(argv));
      await this.#behind([argv], here);
      return process;
    };
    session.batch = async (commands, options) => {
      const rewritten = commands.map((command): BatchCommand => ({ ...command, argv: this.#rewritten(command.argv) }));
      const results = await batch(rewritten, options);
      await this.#behind(
        commands.map(({ argv }) => argv),
        here,
      );
      return results;
    };
  }

  /** Makes the attacks on a lab that has just been wired. */
  async wired(): Promise<void> {
    for (const attack of this.#attacks) {
      if (attack.way === 'wired') await this.#make(attack);
      // It has struck when the replaced program has been used.
      if (attack.way === 'tool') await this.#perform?.(replacement(attack));
    }
  }

  /** Looks which of the replaced programs have been used: right before the lab ends. */
  async lookBehind(): Promise<void> {
    for (const attack of this.pending) {
      if (attack.way !== 'tool') continue;
      const found = await this.#session?.run(['test', '-e', usedFile(attack)]).catch(() => undefined);
      if (found?.status === 0) this.pending.delete(attack);
    }
  }

  #rewritten(argv: readonly string[]): readonly string[] {
    return this.#matching('rewrite', argv).reduce((words, attack) => {
      const changed = attack.to(words);
      if (changed.join('\0') !== words.join('\0')) this.pending.delete(attack);
      return changed;
    }, argv);
  }

  async #behind(commands: readonly (readonly string[])[], here: (script: string) => Promise<void>): Promise<void> {
    for (const argv of commands) {
      for (const attack of this.#matching('behind', argv)) await this.#make(attack, attack.there ? here : undefined);
      for (const attack of this.#matching('clock', argv)) {
        // Once: a clock that jumps again and again is another trouble.
        if (this.pending.delete(attack)) jump(attack.milliseconds, this.#sessions);
      }
      for (const attack of this.#matching('full', argv)) {
        if (this.pending.delete(attack)) fill(this.#out, attack.of);
      }
    }
  }

  #matching<W extends OnCommand['way']>(way: W, argv: readonly string[]): Way<W>[] {
    const line = argv.join(' ');
    const onCommand = this.#attacks.filter((attack): attack is OnCommand => 'command' in attack);
    return onCommand.filter((attack): attack is Way<W> => attack.way === way && attack.command.test(line));
  }

  async #make(attack: Way<'wired' | 'behind'>, perform = this.#perform): Promise<void> {
    this.pending.delete(attack);
    await perform?.(attack.script, 'fatal' in attack);
  }
}

/** Is there once a replaced program has been used, for more than its version. */
function usedFile({ program }: Way<'tool'>): string {
  return `${folder}/used-${program}`;
}

/** A script that puts another in the place of a program: in the machine's own mounts, which go with it. */
function replacement(attack: Way<'tool'>): string {
  const { program, script } = attack;
  const [real, fake] = [`${folder}/real-${program}`, `${folder}/fake-${program}`];
  return `
program=$(command -v ${program})
cp "$program" ${real}
cat >${fake} <<'END OF SCRIPT'
#!/bin/sh
real=${real}
case "$1" in -V | --version) ;; *) : >${usedFile(attack)} ;; esac
${script}
END OF SCRIPT
chmod 755 ${fake}
mount --bind ${fake} "$program"`;
}
