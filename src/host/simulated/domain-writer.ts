/** Changing a simulated host's domains: one call to the host each, as with libvirt. */
import type { DomainRef } from '../../model/domain.ts';
import type { DomainConsole, DomainWriter } from '../ports.ts';
import { consoleOf } from './console.ts';
import * as changes from './domain-changes.ts';
import type { CallName } from './calls.ts';
import { tame, type Temper } from './guest.ts';
import type { Simulation } from './host.ts';
import { attachDisk, detachDisk } from './live-disks.ts';
import { missingFor } from './start-needs.ts';
import { growDisk } from './volume-changes.ts';
import { volumeSubject } from './volumes.ts';
import type { World } from './world.ts';
import { type Act, writing } from './writing.ts';

export function domainWriter(simulation: Simulation): DomainWriter & DomainConsole {
  const { clock, faults } = simulation;
  const send = writing(simulation);
  const write = (name: CallName, ref: DomainRef, signal: AbortSignal, whole: Act, half?: Act) =>
    send(name, [ref.domainName], signal, whole, half);
  const temper = (world: World, ref: DomainRef) => temperAt(world, ref, simulation);
  const console: DomainConsole['console'] = (ref, signal) =>
    faults.carryOut('console', [ref.domainName], signal, {
      whole: () => consoleOf(simulation, ref, signal),
    });
  return {
    define: (definition, signal) =>
      write('define', definition, signal, (world) => changes.define(world, definition)),
    undefine: (ref, signal) =>
      write('undefine', ref, signal, (world) => changes.undefine(world, ref)),
    start: (ref, signal) => {
      const whole = (world: World) => start(world, ref, simulation);
      return write('start', ref, signal, whole, (world) => startAndFall(world, ref, simulation));
    },
    resume: (ref, signal) => write('resume', ref, signal, (world) => changes.resume(world, ref)),
    shutdown: (ref, signal) =>
      write('shutdown', ref, signal, (world) =>
        changes.shutdown(world, ref, temper(world, ref), clock.now()),
      ),
    shutdownByAgent: (ref, signal) =>
      write('shutdownByAgent', ref, signal, (world) =>
        changes.shutdownByAgent(world, ref, temper(world, ref), clock.now()),
      ),
    powerOff: (ref, signal) => {
      const whole = (world: World) => changes.powerOff(world, ref);
      return write('powerOff', ref, signal, whole, (world) =>
        // QEMU was told to go and is not gone yet: libvirt says "Device or resource busy".
        changes.beginPowerOff(world, ref, clock.now() + goingMs),
      );
    },
    noteStop: (ref, asked, signal) =>
      write('noteStop', ref, signal, (world) => changes.noteStop(world, ref, asked)),
    noteReady: (ref, run, signal) =>
      write('noteReady', ref, signal, (world) => changes.noteReady(world, ref, run)),
    askAgent: (ref, signal) =>
      faults.carryOut('askAgent', [ref.domainName], signal, {
        whole: async () =>
          void changes.askAgent(await simulation.read(), ref, 'asking the agent of'),
      }),
    attachDisk: (ref, volume, signal) =>
      send('attachDisk', [ref.domainName, volumeSubject(volume)], signal, (world) =>
        attachDisk(world, ref, volume),
      ),
    detachDisk: (ref, volume, signal) =>
      send('detachDisk', [ref.domainName, volumeSubject(volume)], signal, (world) =>
        detachDisk(world, ref, volume, temper(world, ref), clock.now()),
      ),
    growDisk: (ref, volume, bytes, signal) =>
      send('growDisk', [ref.domainName, volumeSubject(volume)], signal, (world) =>
        growDisk(world, ref, volume, bytes),
      ),
    setMemory: (ref, bytes, signal) =>
      write('setMemory', ref, signal, (world) =>
        changes.setMemory(world, ref, bytes, temper(world, ref), clock.now()),
      ),
    console,
    // Nobody ever has one here that others could not have too.
    takeConsole: console,
  };
}

const goingMs = 1000;

function start(world: World, ref: DomainRef, simulation: Simulation): void {
  const domain = world.domains.get(ref.uuid);
  changes.start(world, ref, {
    temper: temperAt(world, ref, simulation),
    missing: domain === undefined ? null : missingFor(world, domain, simulation.files),
    nowMs: simulation.clock.now(),
  });
}

/** QEMU came up and went down again. */
function startAndFall(world: World, ref: DomainRef, simulation: Simulation): void {
  start(world, ref, simulation);
  changes.fall(world, ref);
}

/** Of one that is not there nothing is known, and the call is refused anyway. */
function temperAt(world: World, { uuid }: DomainRef, { temperOf }: Simulation): Temper {
  const domain = world.domains.get(uuid);
  if (domain === undefined) return tame;
  return temperOf(domain.guest?.fields ?? domain.definition.fields, domain.domainName);
}
