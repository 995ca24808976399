/** A simulated host's packet filters. No packets are simulated: only what is in force. */
import type { FilterRef } from '../../model/filter.ts';
import { absent, present, unknown } from '../../model/observation.ts';
import type { FilterReader, FilterWriter } from '../ports.ts';
import type { Simulation } from './host.ts';
import { writing } from './writing.ts';

export function filterReader({ faults, read }: Simulation): FilterReader {
  return {
    find: (ref, signal) =>
      faults.carryOut('filters.find', subjects(ref), signal, {
        whole: async () => {
          const filter = (await read()).filters.get(ref.table);
          return filter === undefined ? absent : present({ ...ref, ...filter });
        },
        half: async ({ error }) => unknown(error.message),
      }),
  };
}

export function filterWriter(simulation: Simulation): FilterWriter {
  const write = writing(simulation);
  return {
    apply: (ref, rules, signal) =>
      write('filters.apply', subjects(ref), signal, ({ filters }) => {
        filters.set(ref.table, { ...rules });
      }),
    close: (ref, tap, signal) =>
      write('filters.close', subjects(ref), signal, ({ filters }) => {
        const filter = filters.get(ref.table);
        if (filter === undefined) return;
        filter.ports = filter.ports.filter((port) => port.tap !== tap);
      }),
    remove: (ref, signal) =>
      write('filters.remove', subjects(ref), signal, ({ filters }) => {
        filters.delete(ref.table);
      }),
  };
}

function subjects({ table }: FilterRef): readonly string[] {
  return [`filter ${table}`];
}
