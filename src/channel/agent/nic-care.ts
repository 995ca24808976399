/**
 * The Primary's NIC on its partition's network, configured as the host says it: by its address, so that what is
 * in that network is reached by it, and by nothing else. No default route and no name server ever come by it.
 * The kernel is looked at again and again, so that a NIC that is replaced, or a link that goes and comes,
 * needs no sign of its own. The host learns nothing of it.
 */
import type { Runtime } from '../../daemon/runtime.ts';
import { explainError, HostError } from '../../host/host-error.ts';
import type { Link, Links } from '../../host/links.ts';
import type { PartitionStatus } from '../../report/partition-status.ts';
import type { EmitAgent } from './agent-event.ts';
import { linkManagerOf } from './link-manager.ts';
import {
  decideNic,
  linksOf,
  type LinkManager,
  type NicAct,
  type NicDecision,
} from './nic-decision.ts';
import type { NicSaid } from './nic-said.ts';
import { type NicKnown, type NicWanted, nicWanted, nothingHeard } from './nic-wanted.ts';

export interface NicCareOptions {
  readonly runtime: Pick<Runtime, 'clock' | 'timers' | 'files'>;
  readonly links: Links;
  readonly emit: EmitAgent;
  /** Each time that it is another. */
  readonly onSaid: (said: NicSaid) => void;
}

const lookAgainMs = 5000;
/** How long others get to rename and configure an interface that has come. */
const settleMs = 2000;

export class NicCare {
  readonly #options: NicCareOptions;
  #wanted: NicWanted = nothingHeard;
  #said = '';
  #wake = new AbortController();
  /** Which interface it is, and since when it was seen: monotonic. */
  #seen: { readonly link: string; readonly sinceMs: number } | null = null;

  constructor(options: NicCareOptions) {
    this.#options = options;
    this.#say(nothingHeard);
  }

  hear(status: PartitionStatus): void {
    const wanted = nicWanted(status);
    if (JSON.stringify(wanted) === JSON.stringify(this.#wanted)) return;
    this.#wanted = wanted;
    this.#wake.abort();
  }

  /** Resolves when the signal fires. What was configured stays so. */
  async run(signal: AbortSignal): Promise<void> {
    const { timers } = this.#options.runtime;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      const said = await this.#look(signal);
      if (signal.aborted) return;
      this.#say(said);
      const waitMs = said.status === 'waiting' ? settleMs : lookAgainMs;
      await timers.sleep(waitMs, AbortSignal.any([signal, this.#wake.signal]));
    }
  }

  async #look(signal: AbortSignal): Promise<NicSaid> {
    const wanted = this.#wanted;
    if (wanted.status === 'unknown') return wanted;
    try {
      const first = await this.#decide(wanted, signal);
      for (const act of first.acts) await this.#carryOut(act, signal);
      if (first.acts.length === 0) return first.said;
      // Success is said of what was seen.
      const { acts, said } = await this.#decide(wanted, signal);
      if (acts.length === 0) return said;
      throw new HostError('Conflict', 'somebody undoes what the agent does to the interface');
    } catch (error) {
      const code = error instanceof HostError ? error.code : 'Failed';
      return { status: 'failed', code, message: explainError(error) };
    }
  }

  async #decide(wanted: NicKnown, signal: AbortSignal): Promise<NicDecision> {
    const { links: kernel, runtime } = this.#options;
    const links = await kernel.list(signal);
    const [link] = wanted.status === 'plugged' ? linksOf(wanted, links) : [];
    const isSettled = this.#isSettled(link ?? null);
    if (link === undefined)
      return decideNic(wanted, { links, routes: [], manager: none, isSettled });
    const manager = await linkManagerOf(link, runtime.files);
    return decideNic(wanted, { links, routes: await kernel.routes(signal), manager, isSettled });
  }

  #isSettled(link: Link | null): boolean {
    const now = this.#options.runtime.clock.now();
    // One that is renamed is not done with.
    const which = link === null ? null : `${link.index} ${link.name}`;
    if (which === null) this.#seen = null;
    else if (this.#seen?.link !== which) this.#seen = { link: which, sinceMs: now };
    return this.#seen !== null && now - this.#seen.sinceMs >= settleMs;
  }

  async #carryOut(act: NicAct, signal: AbortSignal): Promise<void> {
    const { links, emit } = this.#options;
    switch (act.kind) {
      case 'note':
        return links.note(act.link, act.note, signal);
      case 'add':
        return links.addAddress(act.link, act.cidr, signal);
      case 'up':
        return links.bringUp(act.link, signal);
      case 'remove':
        await links.removeAddress(act.link, act.cidr, signal);
        emit({ kind: 'nic-address-removed', interface: act.link, address: act.cidr });
    }
  }

  #say(said: NicSaid): void {
    const words = JSON.stringify(said);
    if (words === this.#said) return;
    this.#said = words;
    const { emit, onSaid } = this.#options;
    onSaid(said);
    switch (said.status) {
      // They are for whoever reads agent.json: each is as it is to be, or passes.
      case 'none':
      case 'unknown':
      case 'waiting':
        return;
      case 'missing':
        return emit({ kind: 'nic-missing', message: said.message });
      case 'configured':
        return emit({ kind: 'nic-configured', interface: said.interface, address: said.address });
      case 'left-alone': {
        const { interface: name, code, message } = said;
        return emit({ kind: 'nic-left-alone', interface: name, code, message });
      }
      case 'failed':
        return emit({ kind: 'nic-failed', code: said.code, message: said.message });
    }
  }
}

const none: LinkManager = { status: 'none' };
