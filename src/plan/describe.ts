/** Every operation in words: one phrase each, in the imperative, for plans, progress and logs. */
import { awaitedBy } from '../model/readiness.ts';
import { formatSize } from '../model/sizes.ts';
import type { Image, Volume } from '../model/volume.ts';
import type { Operation, OperationOf, StopStep } from './operation.ts';

export function describe(operation: Operation): string {
  switch (operation.kind) {
    case 'installation.record':
      return 'record an installation id';
    case 'domain.define':
      return operation.basis === null ? 'define' : 'redefine';
    case 'domain.set-memory':
      return `set memory to ${formatSize(operation.memoryBytes)}`;
    case 'domain.start':
      return 'start';
    case 'domain.resume':
      return 'resume';
    case 'domain.stop':
      return describeStop(operation);
    case 'domain.await-ready':
      return `wait for ${awaitedBy(operation.check)}, at most ${operation.timeoutMs / 1000} s`;
    case 'domain.note-stop':
      return 'note that the stop is ours';
    case 'domain.forget-stop':
      return 'clear the note';
    case 'domain.undefine':
      return 'undefine, keeping its disks';
    case 'domain.attach-disk':
      return `plug in ${operation.volume}`;
    case 'domain.detach-disk':
      return `unplug ${operation.volume} once its guest lets go`;
    case 'domain.grow-disk':
      return `grow to ${formatSize(operation.sizeBytes)} while its guest runs`;
    case 'volume.create':
      return describeMaking(operation.volume);
    case 'volume.grow':
      return `grow to ${formatSize(operation.sizeBytes)}`;
    case 'volume.set-deletion-policy':
      return `set deletionPolicy to ${operation.deletionPolicy}`;
    case 'volume.delete':
      return 'delete its data';
    case 'image.verify':
      return `verify ${describeSource(operation.image)}`;
    case 'image.import':
      return `import from ${describeSource(operation.image)}`;
    case 'intake.create':
      return `make room for ${formatSize(operation.intake.sizeBytes)} to come in`;
    case 'intake.delete':
      return 'give back the room that it came in by';
    case 'intake.fill':
      return `take ${operation.path} out of the image disk`;
    case 'image-disk.create':
      return `make ${formatSize(operation.goal.sizeBytes)} with an empty file system`;
    case 'image-disk.rework':
      return `make it ${formatSize(operation.work.sizeBytes)}, with what is on it`;
    case 'image-disk.delete':
      return 'delete what is on it';
    case 'primary.lend-image-disk':
      return `plug it into ${operation.primary.domainName}`;
    case 'primary.take-image-disk':
      return `take it out of ${operation.primary.domainName}`;
    case 'primary.lend-disk':
      return `lend ${operation.primary.domainName} a disk for it`;
    case 'primary.take-disk':
      return `take its disk back from ${operation.primary.domainName}`;
    case 'image.delete':
      return 'delete';
    case 'seed.create':
      return `write ${formatSize(operation.seed.sizeBytes)} for its first boot`;
    case 'seed.delete':
      return 'delete';
    case 'primary.set-vcpus':
      return `${operation.phase === 'release' ? 'take' : 'give'} vCPUs: ${operation.vcpus} from then on`;
    case 'primary.set-memory':
      return `${operation.phase === 'release' ? 'take' : 'give'} memory: ${formatSize(operation.pluggedBytes)} plugged in from then on`;
    case 'primary.plug':
      return `plug ${operation.primary.domainName} into the network`;
    case 'primary.unplug':
      return `unplug ${operation.primary.domainName} from the network`;
    case 'slice.apply':
      return 'have the kernel enforce it';
    case 'slice.remove':
      return 'remove';
    case 'filter.apply':
      return 'put its rules in force';
    case 'filter.close':
      return `close the port of ${operation.secondary}`;
    case 'filter.remove':
      return 'remove';
    case 'network.define':
      return operation.basis === null ? 'define' : 'redefine';
    case 'network.start':
      return 'start';
    case 'network.stop':
      return 'stop';
    case 'network.undefine':
      return 'undefine';
    case 'network.reserve':
      return `reserve ${operation.reservation.address} for ${operation.secondary}`;
    case 'network.unreserve':
      return `give back the address of ${operation.secondary}`;
  }
}

function describeMaking({ sizeBytes, copyOf }: Volume): string {
  const size = formatSize(sizeBytes);
  return copyOf === null ? `make ${size}` : `make ${size} with the data of Volume ${copyOf}`;
}

function describeSource({ source }: Image): string {
  switch (source.kind) {
    case 'file':
      return source.file;
    case 'catalogue':
      return `${source.file} of the catalogue`;
    case 'upload':
      return 'what was uploaded';
    case 'handOver':
      return 'the disk that was handed over';
    case 'imageDisk':
      return `${source.path} of the image disk`;
    case 'url':
      return `what was fetched from ${source.url}`;
  }
}

function describeStop({ graceMs, steps }: OperationOf<'domain.stop'>): string {
  const seconds = `${graceMs / 1000} s`;
  const asks = steps.includes('agent') ? 'shut down by its agent or its button' : 'shut down';
  if (!steps.includes('power-off')) return `${asks} within ${seconds}, without powering it off`;
  return graceMs === 0 ? 'power off' : `${asks}, power off after ${seconds}`;
}

/** Which step it was that has stopped a guest. */
export function describeStopStep(step: StopStep): string {
  switch (step) {
    case 'agent':
      return 'by its guest agent';
    case 'acpi':
      return 'by its power button';
    case 'power-off':
      return 'powered off';
  }
}
