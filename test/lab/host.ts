/** The lab's host as scenarios see it: commands, files, reboots, and what happens after a while. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { lookUntil } from '../support/until.ts';
import { lastWords, lostPrimaries } from './emulation.ts';
import { GuestAgent, type Ran } from './machine/guest-agent.ts';
import { type Machine, paths } from './machine/qemu.ts';
import { tailOf } from './machine/tail.ts';

/** Something that was to be so in the lab, and is not. */
export class LabFailure extends Error {
  readonly claim: string;
  readonly seen: unknown;

  constructor(claim: string, seen: unknown) {
    const short = shortened(claim);
    super(`${short}: it is not so. Seen last: ${shortened(JSON.stringify(seen ?? null, null, 1))}`);
    this.claim = short;
    this.seen = seen;
  }
}

/** What is sent to a guest may be long, and hides the rest where only the end of an output is shown. */
function shortened(text: string): string {
  const half = 400;
  if (text.length <= 2 * half) return text;
  return `${text.slice(0, half)} […] ${text.slice(-half)}`;
}

/** A guest has not said a word. Under emulation inside emulation one now and then never gets to its first. */
export class GuestSilent extends LabFailure {}

export interface Until<T> {
  /** Said when it does not come to be. */
  readonly claim: string;
  readonly seconds: number;
  readonly look: () => Promise<T>;
  readonly isIt: (seen: T) => boolean;
  /** It is a guest's first word: where nothing at all is seen, the guest is what failed. */
  readonly isFirstWord?: boolean;
}

const secondsMax = { command: 180, boot: 300, evidence: 30, answer: 60, reboot: 10 };
const lookMs = 300;
/** Of a line that is run in a guest, the guest kit says how it has ended. */
const nothing = /^(?:exit \d+)?\s*$/;
const boot = { msMax: secondsMax.boot * 1000, everyMs: 1000 };

/** What to say of a failure. All of them are read even if the host does not answer. */
const evidence = [
  'grep -hE "serves no more|Oops|BUG:|panic|protection fault|double fault|segfault" /var/log/lab/* | tail -n 8 | cut -c -200',
  '(journalctl --boot --unit unnestd --no-pager --output cat; cat /var/log/unnestd.log) | tail -n 12 | cut -c -400',
  'journalctl --boot --unit libvirtd --lines 10 --no-pager --output cat',
  'tail -n 3 /var/log/libvirt/qemu/*.log /var/log/lab/*',
  'virsh list --all',
];

export class Host {
  readonly machine: Machine;
  #agent: GuestAgent;
  /** Of the machine, as they were meant: a host that boots anew may take several. */
  #resets = 0;
  #isRebooting = false;

  private constructor(machine: Machine, agent: GuestAgent) {
    this.machine = machine;
    this.#agent = agent;
  }

  static async of(machine: Machine): Promise<Host> {
    return new Host(machine, await agentOf(machine));
  }

  /** @throws LabFailure if it takes too long; whatever it exits with is an answer. */
  async run(line: string, stdin = '', secondsLimit = secondsMax.command): Promise<Ran> {
    const limit = sleep(secondsLimit * 1000, null, { ref: false });
    const ran = await Promise.race([this.#agent.run(line, stdin), limit]);
    if (ran === null) throw new LabFailure(`\`${line}\` ends within ${secondsLimit} s`, null);
    return ran;
  }

  /** @returns what it printed. @throws LabFailure if it exits with anything but 0 */
  async sh(line: string, stdin = '', secondsLimit = secondsMax.command): Promise<string> {
    const ran = await this.run(line, stdin, secondsLimit);
    if (ran.code !== 0) throw new LabFailure(`\`${line}\` succeeds`, ran);
    return ran.stdout;
  }

  async write(path: string, content: string | Buffer): Promise<void> {
    await this.#agent.write(path, Buffer.from(content));
  }

  /** What a command line comes to print, for `becomes`. */
  printing(claim: string, line: string, isIt: RegExp, seconds: number): Until<string> {
    const look = async () => (await this.run(line)).stdout;
    return { claim, seconds, look, isIt: (seen) => isIt.test(seen) };
  }

  /** @throws LabFailure with what was seen last */
  async becomes<T>({ claim, seconds, look, isIt, isFirstWord }: Until<T>): Promise<T> {
    const patience = { msMax: seconds * 1000, everyMs: lookMs };
    const { seen, isSo } = await lookUntil(look, isIt, patience);
    if (isSo) return seen;
    const isSilent = isFirstWord === true && nothing.test(String(seen));
    const Failure = isSilent ? GuestSilent : LabFailure;
    throw new Failure(`${claim} (within ${seconds} s)`, seen);
  }

  /** By the host's own hand, down and up. */
  async reboot(): Promise<void> {
    const bootId = 'cat /proc/sys/kernel/random/boot_id';
    const before = await this.sh(bootId);
    this.#isRebooting = true;
    // Nobody answers any more to say that it has been done.
    void this.#agent.run('systemctl reboot || reboot').catch(() => undefined);
    const askAnew = async () => {
      this.#agent.close();
      const agent = await GuestAgent.connect(paths(this.machine.dir).agent);
      if (agent === null) return '';
      this.#agent = agent;
      // The agent that is asked may be on its way down, and never answer.
      return (await this.run(bootId, '', secondsMax.reboot).catch(() => ({ stdout: '' }))).stdout;
    };
    const isBack = (now: string) => now !== '' && now !== before;
    const { isSo } = await lookUntil(askAnew, isBack, boot);
    this.#resets = this.machine.resets;
    this.#isRebooting = false;
    if (isSo) return;
    throw new LabFailure(`the host is back within ${secondsMax.boot} s`, null);
  }

  /** Without having been told to. */
  get hasBegunAnew(): boolean {
    return !this.#isRebooting && this.machine.resets > this.#resets;
  }

  /**
   * Why nothing that it shows counts; null: it does. The emulation of SVM now and then has its processor
   * give up: it has begun anew, or stands still.
   */
  async givenUp(): Promise<string | null> {
    const said = lastWords(tailOf(paths(this.machine.dir).console, 400));
    if (this.hasBegunAnew) return `the emulated host has begun anew:\n${said ?? '(no word)'}`;
    if (said !== null) return `the emulated host's kernel has given up:\n${said}`;
    // One that stands still altogether has nobody left to say so.
    return this.run(lostPrimaries(), '', secondsMax.answer).then(
      ({ stdout }) => (stdout === '' ? null : `an emulated Primary is lost: ${stdout.trim()}`),
      () => 'the emulated host does not answer',
    );
  }

  /** The last lines of all that may tell why something failed. */
  async evidence(): Promise<string> {
    const { console, log } = paths(this.machine.dir);
    const said = [`--- the host's console\n${tailOf(console, 15)}`];
    const qemu = readFileSync(log, 'utf8');
    if (qemu !== '') said.push(`--- its QEMU\n${qemu}`);
    for (const line of evidence) {
      const ran = await this.run(`${line} 2>&1`, '', secondsMax.evidence).catch((error: Error) => ({
        stdout: error.message,
      }));
      said.push(`--- ${line}\n${ran.stdout.trimEnd()}`);
    }
    return said.join('\n');
  }

  /** As if its power went away. */
  async end(): Promise<void> {
    this.close();
    await this.machine.end();
  }

  close(): void {
    this.#agent.close();
  }
}

/** @throws LabFailure if none answers while a host may take to boot */
async function agentOf(machine: Machine): Promise<GuestAgent> {
  const connect = () => GuestAgent.connect(paths(machine.dir).agent);
  const { seen: agent } = await lookUntil(connect, (found) => found !== null, boot);
  if (agent !== null) return agent;
  const seen = tailOf(paths(machine.dir).console, 15);
  throw new LabFailure(`the host boots within ${secondsMax.boot} s`, seen);
}
