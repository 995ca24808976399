/** What the lab proves, one file each in `scenarios/`, and how one is run. */
import { newKernelImage } from './built.ts';
import { HostGaveUp } from './emulation.ts';
import { remove, temporaryFolder } from './folders.ts';
import { GuestSilent, type Host, LabFailure, type Until } from './host.ts';
import type { StateName, States } from './states.ts';
import type { Timeline } from './timeline.ts';
import { lookUntil } from '../support/until.ts';

/** What does not come to be in that time where it was sabotaged is taken not to. */
const brokenSecondsMax = 25;
/** Of one try of a scenario, five to ten times what one takes on two cores without KVM. */
const secondsMax = 1200;
/** How often a scenario is tried whose host gives up. */
const triesMax = 4;
/** Of all of its tries, with the time in which states are made that it stands on. */
export const runMsMax = (triesMax * secondsMax + 1800) * 1000;
/** How long after its start a run still begins something again: one that has an end leaves time for the rest. */
const againMsMax =
  Number(process.env.UNNEST_LAB_AGAIN_MINUTES ?? Number.POSITIVE_INFINITY) * 60_000;

export interface Scenario {
  readonly name: string;
  /** What is true if it passes. */
  readonly about: string;
  /** `full`: only run by --full. */
  readonly set: 'quick' | 'full';
  /** A saved state; or a boot of a host with the newest kernel that Debian has for it. */
  readonly from: StateName | 'new-kernel';
  /** Not resumed but booted from the disk of that state, with this on the kernel's command line. */
  readonly boot?: string;
  /** What fails once `lab.sabotage` has been let loose: the beginning of a claim. */
  readonly breaks: string;
  readonly run: (lab: Lab) => Promise<void>;
}

/** What a scenario has: a host, the places to claim something, and the one to break it. */
export class Lab {
  readonly host: Host;
  readonly timeline: Timeline;
  /** What there is to install. */
  readonly tarball: string;
  /** The claim that is to fail; null: none. */
  readonly #broken: string | null;

  constructor(of: Pick<Lab, 'host' | 'timeline' | 'tarball'>, broken: string | null) {
    this.host = of.host;
    this.timeline = of.timeline;
    this.tarball = of.tarball;
    this.#broken = broken;
  }

  async does(what: string, action: () => Promise<unknown>): Promise<void> {
    this.timeline.does(what);
    await action();
  }

  /** @throws LabFailure unless it is so now */
  async claim<T>(claim: string, look: () => Promise<T>, isIt: (seen: T) => boolean): Promise<T> {
    const seen = await look();
    if (!isIt(seen)) throw new LabFailure(claim, seen);
    this.timeline.holds(claim);
    return seen;
  }

  /** @throws LabFailure unless it comes to be so in time */
  async becomes<T>(until: Until<T>): Promise<T> {
    const isToFail = this.#broken !== null && until.claim.startsWith(this.#broken);
    const seconds = isToFail ? Math.min(until.seconds, brokenSecondsMax) : until.seconds;
    const seen = await this.host.becomes({ ...until, seconds });
    this.timeline.holds(until.claim);
    return seen;
  }

  /** A command line that comes to print something. */
  prints(claim: string, line: string, isIt: RegExp, seconds = 180): Promise<string> {
    return this.becomes(this.host.printing(claim, line, isIt, seconds));
  }

  /** A guest's first word, as a command line comes to print it. @throws GuestSilent if it prints nothing */
  hears(claim: string, line: string, isIt: RegExp, seconds = 180): Promise<string> {
    return this.becomes({ ...this.host.printing(claim, line, isIt, seconds), isFirstWord: true });
  }

  /** Done only to show that the claims behind it can fail. */
  async sabotage(what: string, action: () => Promise<unknown>): Promise<void> {
    if (this.#broken === null) return;
    this.timeline.does(`SABOTAGE: ${what}`);
    await action();
  }
}

/**
 * @param isBroken with its sabotage
 * @throws LabFailure if a claim does not hold; it has what the lab's consoles and logs said last
 */
export async function runScenario(
  scenario: Scenario,
  states: States,
  timeline: Timeline,
  isBroken = false,
): Promise<void> {
  const { name, about } = scenario;
  timeline.chapter(`${name}: ${about}${isBroken ? ' (sabotaged)' : ''}`);
  for (let tries = 1; ; tries += 1) {
    const mayBeAgain = () => tries < triesMax && timeline.ms < againMsMax;
    const emulation = await runOnce(scenario, states, timeline, isBroken, mayBeAgain);
    if (emulation === null) return;
    timeline.does(`AGAIN, as this counts for nothing: ${emulation}`);
  }
}

/** @returns what of the emulation made it fail, so that nothing that it has shown counts; null: it has passed */
async function runOnce(
  scenario: Scenario,
  states: States,
  timeline: Timeline,
  isBroken: boolean,
  mayBeAgain: () => boolean,
): Promise<string | null> {
  const { from, boot, breaks } = scenario;
  const dir = temporaryFolder();
  let host: Host | null = null;
  try {
    host = await started(scenario, states, dir);
    timeline.does(boot === undefined ? `started from "${from}"` : `booted with ${boot}`);
    const lab = { host, timeline, tarball: states.tarball };
    await inTime(scenario.run(new Lab(lab, isBroken ? breaks : null)), host, timeline);
    return null;
  } catch (error) {
    const mayBeEmulation = mayBeAgain() && states.isEmulated;
    if (mayBeEmulation && error instanceof HostGaveUp) return error.message;
    const why = mayBeEmulation && host !== null ? await host.givenUp() : null;
    if (why !== null) return why;
    const isExpected = isBroken && error instanceof LabFailure;
    // Where that is what the sabotage is to bring about, it counts.
    const isMeant = isBroken && error instanceof LabFailure && error.claim.startsWith(breaks);
    if (mayBeEmulation && error instanceof GuestSilent && !isMeant) {
      return `a guest never said a word: ${error.claim}`;
    }
    if (host === null || isExpected || !(error instanceof Error)) throw error;
    error.message += `\n${await host.evidence()}`;
    throw error;
  } finally {
    await host?.end();
    remove(dir);
  }
}

/** Whoever is late is broken off, as the machine goes: nothing of it runs on beside the next one. */
async function inTime(run: Promise<void>, host: Host, timeline: Timeline): Promise<void> {
  const has = { ended: false };
  const ends = run.finally(() => {
    has.ended = true;
  });
  const isOver = () => has.ended || host.hasBegunAnew;
  const patience = { msMax: secondsMax * 1000, everyMs: 500 };
  const over = lookUntil(isOver, (now) => now, patience);
  await Promise.race([ends, over]);
  if (has.ended) return;
  const claim = host.hasBegunAnew ? 'its host runs on' : `it ends within ${secondsMax} s`;
  throw new LabFailure(claim, `the last that was so: ${timeline.last}`);
}

function started({ from, boot }: Scenario, states: States, dir: string): Promise<Host> {
  if (from === 'new-kernel') return states.bootImage(dir, newKernelImage());
  return boot === undefined ? states.resume(from, dir) : states.boot(dir, from, boot);
}
