/**
 * One document of kind Secondary as the Secondaries that it stands for: NAME, or NAME-0 to
 * NAME-(n-1). What can only be judged then is judged here: how long names and command lines are.
 */
import { secondaryName, type SecondaryName, type VolumeName } from '../model/names.ts';
import { useOf, type Volume, type VolumeUse } from '../model/volume.ts';
import type { Boot, Secondary } from '../model/secondary.ts';
import type { Seed } from '../model/seed.ts';
import type { Diagnostic } from './diagnostic.ts';
import { commandLineMax, type SecondaryDocument } from './secondary-schema.ts';
import type { Placed } from './placed.ts';
import type { Surroundings } from './secondaries.ts';

/** The names as they would be, whether or not they are too long to be names. */
export function replicaNames({ metadata, spec }: SecondaryDocument): readonly string[] {
  if (spec.replicas === undefined) return [metadata.name];
  return Array.from({ length: spec.replicas }, (_, index) => `${metadata.name}-${index}`);
}

/** What is wrong with a document only because of what it expands to. */
export function expansionProblems({ document, source }: Placed<SecondaryDocument>): Diagnostic[] {
  const names = replicaNames(document);
  const longest = names.at(-1) ?? '';
  const problems: Diagnostic[] = [];
  if (secondaryName(longest) === undefined) {
    const message = `the last replica would be called "${longest}": expected at most 32 characters with the number`;
    problems.push(source.complain('InvalidValue', ['metadata', 'name'], message));
  }
  const { boot } = document.spec;
  if ('disk' in boot && names.length > 1) {
    const message = `${names.length} replicas would have the same disk, and two guests would destroy it`;
    const remedy = 'give each its own document, or boot a kernel';
    problems.push(
      source.complain('DiskInUse', ['spec', 'boot', 'disk', 'file'], message, { remedy }),
    );
  }
  if ('kernel' in boot && withName(boot.kernel.commandLine, longest).length > commandLineMax) {
    const message = `with the name filled in it is longer than ${commandLineMax} characters`;
    problems.push(
      source.complain('InvalidValue', ['spec', 'boot', 'kernel', 'commandLine'], message),
    );
  }
  return [...problems, ...contradictions({ document, source })];
}

/** Fields that each are as they may be, and together make no sense. */
function contradictions({ document, source }: Placed<SecondaryDocument>): Diagnostic[] {
  const { readiness, readinessPort, guestAgent, network } = document.spec;
  const { forceStop, terminationGracePeriodSeconds } = document.spec;
  const problems: Diagnostic[] = [];
  if (readiness === 'GuestAgent' && !guestAgent) {
    const message = 'it would never be ready: it has no channel for a guest agent';
    const remedy = 'say guestAgent: true as well';
    problems.push(source.complain('InvalidValue', ['spec', 'readiness'], message, { remedy }));
  }
  if (readiness === 'TcpPort' && network === 'None') {
    const message = 'it would never be ready: it has no NIC, so that nobody can connect to it';
    const remedy = 'say network: Partition as well';
    problems.push(source.complain('InvalidValue', ['spec', 'readiness'], message, { remedy }));
  }
  if (readiness === 'TcpPort' && readinessPort === undefined) {
    const message = 'it does not say which port: expected readinessPort beside it';
    const remedy = 'say readinessPort: and the number of the port';
    problems.push(source.complain('InvalidValue', ['spec', 'readiness'], message, { remedy }));
  }
  if (readiness !== 'TcpPort' && readinessPort !== undefined) {
    const message = `nobody would try it: readiness is ${readiness}`;
    const remedy = 'say readiness: TcpPort, or take it out';
    problems.push(source.complain('InvalidValue', ['spec', 'readinessPort'], message, { remedy }));
  }
  if (!forceStop && terminationGracePeriodSeconds === 0) {
    const message =
      'it could never be stopped: it has no time to shut down, and is not powered off';
    const remedy = 'give it time with terminationGracePeriodSeconds';
    problems.push(source.complain('InvalidValue', ['spec', 'forceStop'], message, { remedy }));
  }
  return problems;
}

/**
 * @param startAfter resolved: names of Secondaries, none of them of this document
 * @param seedFor what its guest is told at its first boot
 */
export function expand(
  document: SecondaryDocument,
  startAfter: readonly SecondaryName[],
  { volumes, share }: Pick<Surroundings, 'volumes' | 'share'>,
  seedFor: (name: SecondaryName) => Seed | null,
): readonly Secondary[] {
  const { metadata, spec } = document;
  const labels = new Map(Object.entries(metadata.labels ?? {}));
  return replicaNames(document).map((name) =>
    Object.freeze({
      // Checked by `expansionProblems`.
      name: name as SecondaryName,
      vcpus: spec.vcpus,
      memoryBytes: spec.memory,
      boot: bootOf(spec.boot, name, volumes),
      disks: spec.disks.map(({ volume }) => useIn(volumes, volume, name)),
      seed: seedFor(name as SecondaryName),
      network: spec.network,
      slice: sliceOf(share),
      serialConsole: spec.serialConsole,
      guestAgent: spec.guestAgent,
      runPolicy: spec.runPolicy,
      updatePolicy: spec.updatePolicy,
      stopGraceMs: spec.terminationGracePeriodSeconds * 1000,
      forceStop: spec.forceStop,
      labels,
      protect: spec.protect,
      startAfter,
      readiness: spec.readiness,
      readinessPort: spec.readinessPort ?? null,
    }),
  );
}

function sliceOf(share: Surroundings['share']): Secondary['slice'] {
  if (share === 'unspoken') return null;
  return share?.enforcement === 'Cgroup' ? 'Partition' : 'None';
}

function bootOf(
  boot: SecondaryDocument['spec']['boot'],
  name: string,
  volumes: ReadonlyMap<VolumeName, Volume>,
): Boot {
  if ('volume' in boot) {
    return Object.freeze({ kind: 'volume', use: useIn(volumes, boot.volume, name) });
  }
  if ('disk' in boot) return Object.freeze({ kind: 'disk', ...boot.disk });
  const { kernel } = boot;
  const commandLine = withName(kernel.commandLine, name);
  if ('image' in kernel) {
    const { image, initrdImage: initrd = null } = kernel;
    return Object.freeze({ kind: 'kernelImage', kernel: image, initrd, commandLine });
  }
  const { file, initrd = null } = kernel;
  return Object.freeze({ kind: 'kernel', kernel: file, initrd, commandLine });
}

/** What it asks for of a Volume; of one with mistakes nothing is known, and nothing is done either. */
function useIn(
  volumes: ReadonlyMap<VolumeName, Volume>,
  template: string,
  name: string,
): VolumeUse {
  const wanted = withName(template, name) as VolumeName;
  const volume = volumes.get(wanted);
  return volume === undefined ? { volume: wanted, format: 'raw', backing: null } : useOf(volume);
}

/** A name's alphabet has nothing that the kernel, libvirt or a replacement pattern would heed. */
export function withName(template: string, name: string): string {
  return template.replaceAll('$(name)', () => name);
}
