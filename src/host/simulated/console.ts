/** What a simulated guest writes to its serial console: that it lives, what it has, and what is typed there. */
import type { DomainRef } from '../../model/domain.ts';
import type { OpenConsole } from '../ports.ts';
import { find, guestOf } from './domain-changes.ts';
import type { Simulation } from './host.ts';
import { refused } from './refusal.ts';
import type { Guest } from './world.ts';

const lineEveryMs = 2000;

/** A guest that was started so recently still tells of its start. */
const bootMs = 2000;

export async function consoleOf(
  simulation: Simulation,
  ref: DomainRef,
  signal: AbortSignal,
): Promise<OpenConsole> {
  const guest = guestOf(find(await simulation.read(), ref, 'opening the console of'), 'opening');
  if (!guest.fields.serialConsole) {
    throw refused(`opening the console of ${ref.domainName}`, 'cannot find character device');
  }
  const typed = new Typed();
  const lines = linesOf(simulation, ref, typed, signal);
  return {
    [Symbol.asyncIterator]: () => lines,
    type: async (bytes) => typed.add(bytes),
  };
}

/** What waits for being echoed. */
class Typed {
  #bytes: Uint8Array[] = [];
  #wake = new AbortController();

  add(bytes: Uint8Array): void {
    this.#bytes.push(bytes);
    this.#wake.abort();
  }

  /** Fires when there is some, until it is taken. */
  get signal(): AbortSignal {
    return this.#wake.signal;
  }

  take(): Uint8Array {
    const bytes = Buffer.concat(this.#bytes);
    this.#bytes = [];
    this.#wake = new AbortController();
    return bytes;
  }
}

async function* linesOf(
  { clock, read }: Simulation,
  ref: DomainRef,
  typed: Typed,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let isNew = true;
  while (!signal.aborted) {
    const guest = (await read()).domains.get(ref.uuid)?.guest ?? null;
    if (guest === null) return;
    const upMs = clock.now() - guest.startedAtMs;
    const state = isNew && upMs < bootMs ? 'booted:' : `up ${Math.floor(upMs / 1000)} s,`;
    const echo = typed.take();
    if (echo.length > 0) yield echo;
    else if (guest.state === 'running') yield line(ref, guest, state);
    isNew = false;
    await clock.sleep(lineEveryMs, AbortSignal.any([signal, typed.signal]));
  }
}

function line({ domainName }: DomainRef, { fields }: Guest, state: string): Uint8Array {
  const name = domainName.replace(/^.*\./, '');
  const memory = `${Math.floor(fields.memoryBytes / 2 ** 20)} MiB`;
  return Buffer.from(`simulated guest ${name} ${state} ${fields.vcpus} vCPU, ${memory}\r\n`);
}
