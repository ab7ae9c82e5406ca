/** An external switch, described by the user, and optionally set by a command of the user's. */
import type { BridgePortFlag } from '../../link/bridge-port.js';
import type { PortVlan } from '../../link/bridge-vlan.js';
import type { CommandLog } from '../../remote/command-log.js';
import type { ExternalSwitch } from '../../machine/external-environment.js';
import { MissingPrerequisite } from '../../core/missing-prerequisite.js';
import type { Scopes } from '../scopes.js';
import type { SwitchSettings } from './switch.js';
import { runHook } from './switch-hook.js';
import type { NodeName } from '../../machine/topology.js';

export class DeclaredSwitch implements SwitchSettings {
  readonly #scopes: Scopes;
  readonly #log: CommandLog;
  readonly #known: ExternalSwitch;
  /** Whether each port reflects; unknown for a missing port. */
  readonly #reflects: Map<string, boolean>;
  /** The settings that a suite has requested and relies on. By default, a suite relies on ports that do not reflect. */
  readonly #assumed = new Map<string, boolean>();

  /** @param log records the commands that set it */
  constructor(known: ExternalSwitch, scopes: Scopes, log: CommandLog) {
    this.#known = known;
    this.#scopes = scopes;
    this.#log = log;
    this.#reflects = new Map(Object.entries(known.hairpin));
  }

  async prepare(): Promise<void> {
    if (!this.#hook) return;
    for (const [port, on] of this.#reflects) if (on) await this.#turn(port, false);
  }

  async set(port: string, flag: BridgePortFlag, on: boolean): Promise<void> {
    if (flag !== 'hairpin')
      throw new MissingPrerequisite('switch', `needs to set ${flag} of the switch’s port of ${port}: ${this.#why}`);
    const known = this.#reflects.get(port);
    if (known === undefined) throw new MissingPrerequisite('switch', unknown(port));
    if (known !== on) {
      if (!this.#hook)
        throw new MissingPrerequisite('switch', `needs the switch’s port of ${port} ${reflecting(on)}: ${this.#why}`);
      await this.#turn(port, on);
    }
    const before = this.#assumed.get(port) ?? false;
    this.#assumed.set(port, on);
    this.#scopes.current.defer(`port ${port}: hairpin as before`, () => this.#assumed.set(port, before));
  }

  requireKnownReflection(port: string): void {
    const [known, assumed] = [this.#reflects.get(port), this.#assumed.get(port) ?? false];
    if (known === undefined) throw new MissingPrerequisite('switch', unknown(port));
    if (known !== assumed)
      throw new MissingPrerequisite(
        'switch',
        `needs the switch’s port of ${port} ${reflecting(assumed)}: ${this.#why}`,
      );
  }

  claimedReflection(port: string): boolean | undefined {
    return this.#reflects.get(port);
  }

  async filterVlans(): Promise<void> {
    if (this.#known.vlans === undefined) {
      const next = 'the inventory does not say which VLANs the switch’s ports carry (`vlans`)';
      throw new MissingPrerequisite('switch', `needs a switch that tells VLANs apart: ${next}`);
    }
    return Promise.resolve();
  }

  async setVlans(port: string, vlans: readonly PortVlan[]): Promise<void> {
    const { vlans: tagged = [], native } = this.#known;
    const [wanted, known] = [
      vlansIn(
        vlans.filter(({ untagged }) => !untagged).map(({ id }) => id),
        vlans.find(({ pvid }) => pvid)?.id,
      ),
      vlansIn(tagged, native),
    ];
    if (wanted === known) return Promise.resolve();
    throw new MissingPrerequisite(
      'switch',
      `needs the switch’s port of ${port} to carry ${wanted}; the inventory says ${known}: ${this.#why}`,
    );
  }

  /** Runs the user's command that sets whether a port reflects, until the end of the current scope. */
  async #turn(port: string, on: boolean): Promise<void> {
    const before = this.#reflects.get(port) ?? !on;
    const turn = async (value: boolean) => {
      await this.#call(port, value);
      this.#reflects.set(port, value);
    };
    let done = false;
    this.#scopes.current.defer(`port ${port}: hairpin ${before ? 'on' : 'off'} again`, () =>
      done ? turn(before) : undefined,
    );
    // A failed command may have done half of the work.
    done = true;
    await turn(on).catch((error: unknown) => {
      if (error instanceof MissingPrerequisite) done = false;
      throw error;
    });
  }

  async #call(port: string, on: boolean): Promise<void> {
    if (!this.#hook) return;
    const { command, instead } = this.#hook;
    const words = ['hairpin', port, on ? 'on' : 'off'];
    const entry = this.#log.begin({
      where: 'switch',
      namespace: undefined,
      argv: [...command, ...words],
      kind: 'hook',
    });
    if (instead) await instead(port as NodeName, on);
    else await runHook(command, words);
    this.#log.end(entry, { status: 0 });
    const like = ['bridge', 'link', 'set', 'dev', port, ...['hairpin', on ? 'on' : 'off']];
    this.#log.begin({ where: 'switch', namespace: undefined, argv: like, kind: 'likeness' });
  }

  get #hook() {
    const { driver } = this.#known;
    return driver && 'command' in driver ? driver : undefined;
  }

  get #why(): string {
    return this.#hook
      ? 'the inventory’s switch command sets nothing but hairpin'
      : 'the inventory names no switch driver';
  }
}

function unknown(port: string): string {
  return `whether the switch reflects at the port of ${port} is not known: macvlab validate-switch tells`;
}

function reflecting(on: boolean): string {
  return on ? 'to reflect' : 'not to reflect';
}

/** "VLANs 10, 20, untagged 1" */
function vlansIn(tagged: readonly number[], native: number | undefined): string {
  const others = tagged.filter((id) => id !== native).sort((a, b) => a - b);
  const untagged = native === undefined ? 'no untagged frames' : `untagged ${native}`;
  return `${others.length > 0 ? `VLANs ${others.join(', ')}` : 'no tagged VLAN'}, ${untagged}`;
}
