/** A simulated host's Primaries: domains of an operator's, of which a guest gives when it likes to. */
import type { DomainRef } from '../../model/domain.ts';
import type { ImageName } from '../../model/names.ts';
import type { PrimaryPlug } from '../../model/plug.ts';
import type { PrimaryHas } from '../../model/primary.ts';
import { absent, present, unknown } from '../../model/observation.ts';
import { HostError } from '../host-error.ts';
import type { PrimaryReader, PrimaryWriter } from '../ports.ts';
import type { Simulation } from './host.ts';
import { refused } from './refusal.ts';
import type { SimulatedPrimary, World } from './world.ts';
import { writing } from './writing.ts';

export function primaryReader({ faults, read }: Simulation): PrimaryReader {
  return {
    find: (domainName, signal) =>
      faults.carryOut('primaries.find', [domainName], signal, {
        whole: async () => {
          const primary = (await read()).primaries.get(domainName);
          if (primary === undefined) return absent;
          const { releasesAfterMs: _, release: __, unplugging: ___, ...seen } = primary;
          return present({ ...seen, domainName });
        },
        half: async ({ error }) => unknown(error.message),
      }),
  };
}

export function primaryWriter(simulation: Simulation): PrimaryWriter {
  const write = writing(simulation);
  const { clock } = simulation;
  return {
    setVcpus: (ref, vcpus, signal) =>
      write('primaries.setVcpus', [ref.domainName], signal, (world) => {
        const primary = find(world, ref);
        if (vcpus > primary.vcpusMax)
          throw refused(`setting the vCPUs of ${ref.domainName}`, 'more than the maximum');
        ask(primary, ref, { vcpus }, clock.now());
        // libvirt waits for the guest for a while, and not for ever.
        if (primary.live !== null && vcpus < primary.live.vcpus) throw slow(ref);
      }),
    setMemory: (ref, pluggedBytes, signal) =>
      write('primaries.setMemory', [ref.domainName], signal, (world) => {
        const primary = find(world, ref);
        if (pluggedBytes > (primary.device?.sizeBytes ?? 0)) {
          throw refused(
            `setting the memory of ${ref.domainName}`,
            'more than the size of the device',
          );
        }
        ask(primary, ref, { pluggedBytes }, clock.now());
      }),
    plug: (ref, plug, signal) =>
      write('primaries.plug', [ref.domainName], signal, (world) => {
        const primary = find(world, ref);
        const isNew = (side: readonly PrimaryPlug[]) => !hasPlug(side, plug.alias);
        if (isNew(primary.plugs)) primary.plugs = [...primary.plugs, plug];
        const { livePlugs } = primary;
        if (livePlugs !== null && isNew(livePlugs)) primary.livePlugs = [...livePlugs, plug];
      }),
    unplug: (ref, alias, signal) =>
      write('primaries.unplug', [ref.domainName], signal, (world) => {
        const primary = find(world, ref);
        primary.plugs = primary.plugs.filter((each) => each.alias !== alias);
        const { livePlugs, unplugging, releasesAfterMs } = primary;
        if (livePlugs === null || !hasPlug(livePlugs, alias)) return;
        // The guest is asked, and libvirt does not wait for long.
        if (unplugging !== null) {
          throw refused(`unplugging ${ref.domainName}`, `already in the process of unplug`);
        }
        if (releasesAfterMs !== null) {
          primary.unplugging = { atMs: clock.now() + releasesAfterMs, alias };
        }
      }),
    lend: (ref, image, disk, signal) =>
      write('primaries.lend', [ref.domainName, lentSubject(image)], signal, (world) => {
        const primary = find(world, ref);
        const doing = `lending ${ref.domainName} a disk`;
        if (primary.live === null) throw refused(doing, 'it does not run');
        if (primary.lentDisks.includes(disk.alias)) throw refused(doing, 'it has it already');
        noteLoan(world, image, { uuid: primary.uuid, domainName: ref.domainName }, doing);
        primary.lentDisks = [...primary.lentDisks, disk.alias];
      }),
    takeBack: (ref, alias, signal) =>
      write('primaries.takeBack', [ref.domainName], signal, (world) => {
        const primary = find(world, ref);
        const { lentDisks, unplugging, releasesAfterMs } = primary;
        if (!lentDisks.includes(alias)) return;
        if (unplugging !== null) {
          throw refused(`taking a disk back from ${ref.domainName}`, 'already in the process');
        }
        if (releasesAfterMs !== null) {
          primary.unplugging = { atMs: clock.now() + releasesAfterMs, alias };
        }
      }),
  };
}

function lentSubject(image: ImageName | null): string {
  return image === null ? 'image disk' : `intake ${image}`;
}

/** With what is lent stands whom it is lent to. */
function noteLoan(world: World, image: ImageName | null, to: DomainRef, doing: string): void {
  if (image === null) {
    for (const disk of world.imageDisks.values()) Object.assign(disk, { lentTo: to, takenOut: [] });
    return;
  }
  for (const intakes of world.intakes.values()) {
    const intake = intakes.get(image);
    if (intake === undefined) continue;
    if (intake.heldBytes === 0) throw refused(doing, 'its bytes are an Image by now');
    intake.lentTo = to;
  }
}

/** The definition at once; up at once too, and down when the guest has given. */
function ask(
  primary: SimulatedPrimary,
  _ref: DomainRef,
  wanted: Partial<PrimaryHas>,
  nowMs: number,
): void {
  primary.defined = { ...primary.defined, ...wanted };
  const { live, releasesAfterMs, release } = primary;
  if (live === null) return;
  const goal = { ...(release ?? live), ...wanted };
  const least = {
    vcpus: Math.max(live.vcpus, goal.vcpus),
    pluggedBytes: Math.max(live.pluggedBytes, goal.pluggedBytes),
  };
  primary.live = least;
  const isDone = least.vcpus === goal.vcpus && least.pluggedBytes === goal.pluggedBytes;
  if (isDone) primary.release = null;
  else if (releasesAfterMs !== null) {
    const { vcpus, pluggedBytes } = goal;
    primary.release = { atMs: nowMs + releasesAfterMs, vcpus, pluggedBytes };
  }
}

function hasPlug(plugs: readonly PrimaryPlug[], alias: string): boolean {
  return plugs.some((each) => each.alias === alias);
}

function find({ primaries }: World, { domainName }: DomainRef): SimulatedPrimary {
  const primary = primaries.get(domainName);
  if (primary !== undefined) return primary;
  throw refused(`finding ${domainName}`, 'Domain not found');
}

function slow({ domainName }: DomainRef): HostError {
  const cause = new Error('vcpu unplug request timed out');
  return new HostError('Timeout', `setting the vCPUs of ${domainName}`, { cause });
}
