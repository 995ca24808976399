/** Every operation in words: one phrase each, in the imperative, for plans, progress and logs. */
import { formatSize } from '../model/sizes.ts';
import type { Operation } from './operation.ts';

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
      return operation.graceMs === 0
        ? 'power off'
        : `shut down, power off after ${operation.graceMs / 1000} s`;
    case 'domain.note-stop':
      return 'note that the stop is ours';
    case 'domain.forget-stop':
      return 'clear the note';
    case 'domain.undefine':
      return 'undefine, keeping its disks';
    case 'domain.grow-disk':
      return `grow to ${formatSize(operation.sizeBytes)} while its guest runs`;
    case 'volume.create':
      return `make ${formatSize(operation.volume.sizeBytes)}`;
    case 'volume.grow':
      return `grow to ${formatSize(operation.sizeBytes)}`;
    case 'volume.set-deletion-policy':
      return `set deletionPolicy to ${operation.deletionPolicy}`;
    case 'volume.delete':
      return 'delete its data';
    case 'image.import':
      return `import from ${operation.image.file}`;
    case 'image.delete':
      return 'delete';
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
