/** What a simulated guest writes to its serial console: that it lives, and what it has. */
import type { DomainRef } from '../../model/domain.ts';
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
): Promise<AsyncIterable<Uint8Array>> {
  const guest = guestOf(find(await simulation.read(), ref, 'opening the console of'), 'opening');
  if (guest.fields.serialConsole) return linesOf(simulation, ref, signal);
  throw refused(`opening the console of ${ref.domainName}`, 'cannot find character device');
}

async function* linesOf(
  { clock, read }: Simulation,
  ref: DomainRef,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let isNew = true;
  while (!signal.aborted) {
    const guest = (await read()).domains.get(ref.uuid)?.guest ?? null;
    if (guest === null) return;
    const upMs = clock.now() - guest.startedAtMs;
    const state = isNew && upMs < bootMs ? 'booted:' : `up ${Math.floor(upMs / 1000)} s,`;
    if (guest.state === 'running') yield line(ref, guest, state);
    isNew = false;
    await clock.sleep(lineEveryMs, signal);
  }
}

function line({ domainName }: DomainRef, { fields }: Guest, state: string): Uint8Array {
  const name = domainName.replace(/^.*\./, '');
  const memory = `${Math.floor(fields.memoryBytes / 2 ** 20)} MiB`;
  return Buffer.from(`simulated guest ${name} ${state} ${fields.vcpus} vCPU, ${memory}\r\n`);
}
