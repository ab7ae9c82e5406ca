/** A sabotage put into effect on the sessions of a lab, behind the back of everything that uses them. */
import type { BatchCommand } from '../remote/batch.js';
import type { Session } from '../remote/session.js';
import { jump } from './clock.js';
import type { Attack, Sabotage } from './sabotage.js';

type Way<W extends Attack['way']> = Extract<Attack, { way: W }>;
type OnCommand = Extract<Attack, { command: RegExp }>;

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
  readonly #sessions = new Set<Session>();
  #perform: ((script: string) => Promise<void>) | undefined;

  constructor({ attacks }: Pick<Sabotage, 'attacks'>) {
    this.#attacks = attacks;
    // A full disk is the launcher's to make.
    this.pending = new Set(attacks.filter(({ way }) => way !== 'disk'));
  }

  /** Lets the attacks on commands reach a session. */
  arm(session: Session): void {
    if (this.#sessions.has(session)) return;
    this.#sessions.add(session);
    const [run, batch, start] = [session.run.bind(session), session.batch.bind(session), session.start.bind(session)];
    const here = async (script: string) => {
      // A script that takes its own session down has done what it was to do.
      const result = await run(['sh', '-c', preamble + script]).catch(() => undefined);
      if (result && result.status !== 0) this.trouble ??= result.stderr.trim() || `status ${result.status}`;
    };
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
      if (attack.way === 'wired') await this.#make(attack, attack.script);
      if (attack.way === 'tool') await this.#make(attack, replacement(attack));
    }
  }

  #rewritten(argv: readonly string[]): readonly string[] {
    return this.#matching('rewrite', argv).reduce((words, attack) => {
      this.pending.delete(attack);
      return attack.to(words);
    }, argv);
  }

  async #behind(commands: readonly (readonly string[])[], here: (script: string) => Promise<void>): Promise<void> {
    for (const argv of commands) {
      for (const attack of this.#matching('behind', argv))
        await this.#make(attack, attack.script, attack.there ? here : undefined);
      for (const attack of this.#matching('clock', argv)) {
        // Once: a clock that jumps again and again is another trouble.
        if (this.pending.delete(attack)) jump(attack.milliseconds, this.#sessions);
      }
    }
  }

  #matching<W extends OnCommand['way']>(way: W, argv: readonly string[]): Way<W>[] {
    const line = argv.join(' ');
    const onCommand = this.#attacks.filter((attack): attack is OnCommand => 'command' in attack);
    return onCommand.filter((attack): attack is Way<W> => attack.way === way && attack.command.test(line));
  }

  async #make(attack: Attack, script: string, perform = this.#perform): Promise<void> {
    this.pending.delete(attack);
    await perform?.(script);
  }
}

/** A script that puts another in the place of a program: in the machine's own mounts, which go with it. */
function replacement({ program, script }: Way<'tool'>): string {
  const [real, fake] = [`${folder}/real-${program}`, `${folder}/fake-${program}`];
  return `
program=$(command -v ${program})
cp "$program" ${real}
cat >${fake} <<'END OF SCRIPT'
#!/bin/sh
real=${real}
${script}
END OF SCRIPT
chmod 755 ${fake}
mount --bind ${fake} "$program"`;
}
