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
  }
}
