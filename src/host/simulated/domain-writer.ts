/** Changing a simulated host's domains: one call to the host each, as with libvirt. */
import type { DomainRef } from '../../model/domain.ts';
import type { DomainConsole, DomainWriter } from '../ports.ts';
import { consoleOf } from './console.ts';
import * as changes from './domain-changes.ts';
import type { CallName } from './faults.ts';
import { tame, type Temper } from './guest.ts';
import type { Simulation } from './host.ts';
import type { World } from './world.ts';

export function domainWriter(simulation: Simulation): DomainWriter & DomainConsole {
  const { clock, faults } = simulation;
  const write = writing(simulation);
  const temper = (world: World, ref: DomainRef) => temperAt(world, ref, simulation);
  return {
    define: (definition, signal) =>
      write('define', definition, signal, (world) => changes.define(world, definition)),
    undefine: (ref, signal) =>
      write('undefine', ref, signal, (world) => changes.undefine(world, ref)),
    start: (ref, signal) =>
      write('start', ref, signal, (world) => start(world, ref, simulation), startAndFall),
    resume: (ref, signal) => write('resume', ref, signal, (world) => changes.resume(world, ref)),
    shutdown: (ref, signal) =>
      write('shutdown', ref, signal, (world) =>
        changes.shutdown(world, ref, temper(world, ref), clock.now()),
      ),
    powerOff: (ref, signal) =>
      write('powerOff', ref, signal, (world) => changes.powerOff(world, ref), beginPowerOff),
    noteStop: (ref, asked, signal) =>
      write('noteStop', ref, signal, (world) => changes.noteStop(world, ref, asked)),
    setMemory: (ref, bytes, signal) =>
      write('setMemory', ref, signal, (world) =>
        changes.setMemory(world, ref, bytes, temper(world, ref), clock.now()),
      ),
    console: (ref, signal) =>
      faults.carryOut('console', [ref.domainName], signal, {
        whole: () => consoleOf(simulation, ref, signal),
      }),
  };
}

/** What a call leaves behind that fails half way. */
type Half = (world: World, ref: DomainRef, simulation: Simulation) => void;

function writing(simulation: Simulation) {
  const { change, faults } = simulation;
  return (
    name: CallName,
    ref: DomainRef,
    signal: AbortSignal,
    whole: (world: World) => void,
    half: Half = whole,
  ): Promise<void> =>
    faults.carryOut(name, [ref.domainName], signal, {
      whole: () => change(whole, signal),
      half: async ({ error }) => {
        await change((world) => half(world, ref, simulation), signal);
        throw error;
      },
    });
}

function start(world: World, ref: DomainRef, simulation: Simulation): void {
  changes.start(world, ref, {
    temper: temperAt(world, ref, simulation),
    missingFile: missingFile(world, ref, simulation),
    nowMs: simulation.clock.now(),
  });
}

/** QEMU came up and went down again. */
const startAndFall: Half = (world, ref, simulation) => {
  start(world, ref, simulation);
  changes.fall(world, ref);
};

/** QEMU was told to go and is not gone yet: libvirt says "Device or resource busy". */
const beginPowerOff: Half = (world, ref, { clock }) =>
  changes.beginPowerOff(world, ref, clock.now() + goingMs);

const goingMs = 1000;

/** Of one that is not there nothing is known, and the call is refused anyway. */
function temperAt(world: World, { uuid }: DomainRef, { temperOf }: Simulation): Temper {
  const domain = world.domains.get(uuid);
  if (domain === undefined) return tame;
  return temperOf(domain.guest?.fields ?? domain.definition.fields, domain.domainName);
}

function missingFile(world: World, { uuid }: DomainRef, { files }: Simulation): string | null {
  const definition = world.domains.get(uuid)?.definition;
  // What somebody else's domain boots from is in no store of ours.
  if (files === 'any' || definition === undefined || definition.owner === null) return null;
  const store = world.files.get(definition.owner.partition);
  const { kernel, initrd, disk } = definition.fields;
  return [kernel, initrd, disk].find((file) => file !== null && !store?.has(file)) ?? null;
}
