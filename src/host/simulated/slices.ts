/** A simulated host's slices: as with systemd, a guest whose slice is missing starts all the same. */
import { type DomainRef } from '../../model/domain.ts';
import { slicePath } from '../../model/identity.ts';
import { absent, present } from '../../model/observation.ts';
import type { SliceRef, SliceUsage } from '../../model/slice.ts';
import type { SliceReader, SliceWriter } from '../ports.ts';
import type { Simulation } from './host.ts';
import { refused } from './refusal.ts';
import type { SimulatedDomain, World } from './world.ts';
import { writing } from './writing.ts';

export function sliceReader({ faults, read }: Simulation): SliceReader {
  return {
    find: (ref, signal) =>
      faults.carryOut('slices.find', subjects(ref), signal, {
        whole: async () => {
          const world = await read();
          const fields = world.slices.get(ref.path);
          if (fields === undefined) return absent;
          const cpus = {
            effective: fields.cpuset,
            partition: fields.exclusiveCpus === true ? 'root' : 'member',
          };
          return present({ path: ref.path, fields, cpus, usage: usageOf(world, ref) });
        },
      }),
    contains: (ref, domain, signal) =>
      faults.carryOut('slices.contains', subjects(ref), signal, {
        whole: async () => guestsIn(await read(), ref).some(({ uuid }) => uuid === domain.uuid),
      }),
  };
}

export function sliceWriter(simulation: Simulation): SliceWriter {
  const write = writing(simulation);
  return {
    apply: (ref, fields, signal) =>
      write('slices.apply', subjects(ref), signal, ({ slices }) => {
        slices.set(ref.path, fields);
      }),
    remove: (ref, signal) =>
      write('slices.remove', subjects(ref), signal, (world) => {
        if (guestsIn(world, ref).length > 0) {
          throw refused(`removing slice ${ref.path}`, 'Device or resource busy');
        }
        world.slices.delete(ref.path);
      }),
  };
}

function guestsIn(world: World, ref: SliceRef): readonly (SimulatedDomain & DomainRef)[] {
  if (!world.slices.has(ref.path)) return [];
  return [...world.domains.values()].filter(({ guest, definition: { owner } }) => {
    return guest?.inSlice === true && owner !== null && slicePath(owner) === ref.path;
  });
}

function usageOf(world: World, ref: SliceRef): SliceUsage {
  const guests = guestsIn(world, ref);
  const memoryBytes = guests.reduce((sum, { guest }) => sum + (guest?.fields.memoryBytes ?? 0), 0);
  const held = { throttledUs: 0, periods: 0, throttledPeriods: 0 };
  const idle = { ...held, cpuUs: 0, oomKills: 0, memoryPressure: 0 };
  return { ...idle, memoryBytes, processes: guests.length };
}

function subjects({ path }: SliceRef): readonly string[] {
  return [`slice ${path}`];
}
