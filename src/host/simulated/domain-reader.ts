/** Reading a simulated host's domains, and waiting for one of them to change. */
import type { DomainRef, GuestUsage } from '../../model/domain.ts';
import { absent, present, unknown } from '../../model/observation.ts';
import { type CidUse, cidOf } from '../../model/vsock.ts';
import type { DomainReader, DomainWatch } from '../ports.ts';
import type { Simulation } from './host.ts';
import { observedDomain } from './observed-domain.ts';
import { nextChangeMs } from './settle.ts';
import type { Guest, World } from './world.ts';

/** As if it had KVM: a plan for a simulated host reads like one for a good host. */
const platform = { domainType: 'kvm', machine: 'q35' };

export function domainReader(simulation: Simulation): DomainReader {
  const { faults, read } = simulation;
  return {
    facts: (signal) =>
      faults.carryOut('facts', [], signal, {
        whole: async () => ({ platform, ...(await read()).size }),
      }),
    list: (signal) =>
      faults.carryOut('list', [], signal, { whole: async () => refsOf(await read()) }),
    read: (refs, signal) => {
      // As with libvirt, nothing is asked where nothing is to be known.
      if (refs.length === 0) return Promise.resolve([]);
      const names = refs.map(({ domainName }) => domainName);
      return faults.carryOut('read', names, signal, {
        whole: async () => lookAll(await read(), refs),
        half: async ({ error, unreadable = names.slice(names.length / 2) }) =>
          lookAll(await read(), refs).map((each, index) =>
            unreadable.includes(names[index] ?? '') ? unknown(error.message) : each,
          ),
      });
    },
    usage: (refs, signal) =>
      faults.carryOut(
        'usage',
        refs.map(({ domainName }) => domainName),
        signal,
        {
          whole: async () => {
            const { domains } = await read();
            return refs.map(({ uuid }) => usageOf(domains.get(uuid)?.guest ?? null));
          },
        },
      ),
    cids: (signal) =>
      faults.carryOut('cids', [], signal, { whole: async () => cidsIn(await read()) }),
    watch: (ref) =>
      faults.carryOut('watch', [ref.domainName], null, {
        whole: () => watchDomain(ref, simulation),
      }),
  };
}

/** It takes what it was given, and computes nothing. */
function usageOf(guest: Guest | null): GuestUsage | null {
  return guest === null ? null : { cpuUs: 0, memoryBytes: guest.fields.memoryBytes };
}

function refsOf(world: World): DomainRef[] {
  return [...world.domains.values()].map(({ uuid, domainName }) => ({ uuid, domainName }));
}

function cidsIn({ domains }: World): CidUse[] {
  return [...domains.values()].flatMap(({ uuid, domainName, definition, guest }) => {
    const has = [definition.fields, guest?.fields].some((each) => each?.vsock === 'Heartbeat');
    return has ? [{ uuid, domainName, cid: cidOf(uuid) }] : [];
  });
}

function lookAll(world: World, refs: readonly DomainRef[]) {
  return refs.map((ref) => {
    const domain = world.domains.get(ref.uuid);
    return domain === undefined ? absent : present(observedDomain(domain));
  });
}

/** Another program may change the file, and nobody tells. */
const lookAgainMs = 200;

async function watchDomain(ref: DomainRef, simulation: Simulation): Promise<DomainWatch> {
  const { clock, faults, read } = simulation;
  const look = async () => JSON.stringify((await read()).domains.get(ref.uuid) ?? null);
  let seen = await look();
  return {
    next: async (timeoutMs, signal) => {
      const deadlineMs = clock.now() + timeoutMs;
      while (!signal.aborted) {
        faults.checkAlive();
        const before = seen;
        seen = await look();
        const nowMs = clock.now();
        if (seen !== before || nowMs >= deadlineMs) return;
        const due = nextChangeMs((await read()).domains.get(ref.uuid));
        await clock.sleep(Math.min(deadlineMs - nowMs, lookAgainMs, due - nowMs), signal);
      }
    },
    close: () => undefined,
  };
}
