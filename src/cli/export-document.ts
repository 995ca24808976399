/**
 * A Secondary of the host as the document that would have made it: `plan` over it finds nothing to
 * do. Only what documents can say is in it.
 */
import type { DomainFields } from '../model/domain.ts';
import { splitLabels } from '../model/domain.ts';
import { FILE_NAME_PATTERN, type SecondaryName } from '../model/names.ts';
import { formatSize } from '../model/sizes.ts';
import { CommandError } from './command-error.ts';
import { exitCodes } from './exit-codes.ts';

/** @throws CommandError `partial` if the host has something that no document can say */
export function exportDocument(name: SecondaryName, fields: DomainFields): object {
  const { vcpus, memoryBytes, serialConsole, runPolicy, updatePolicy, stopGraceMs } = fields;
  const labels = splitLabels(fields.labels);
  return {
    apiVersion: 'unnest.dev/v1',
    kind: 'Secondary',
    metadata: { name, ...(labels.size > 0 ? { labels: Object.fromEntries(labels) } : {}) },
    spec: {
      vcpus,
      memory: formatSize(memoryBytes),
      boot: bootOf(name, fields),
      serialConsole,
      runPolicy,
      updatePolicy,
      terminationGracePeriodSeconds: stopGraceMs / 1000,
      ...(fields.protect ? { protect: true } : {}),
      ...(fields.startAfter === '' ? {} : { startAfter: fields.startAfter.split(',') }),
    },
  };
}

function bootOf(name: SecondaryName, fields: DomainFields): object {
  const { kernel, initrd, commandLine, disk, diskFormat } = fields;
  for (const file of [kernel, initrd, disk]) {
    if (file === null || FILE_NAME_PATTERN.test(file)) continue;
    const message = `${name} uses ${file}, which is outside the partition's store`;
    throw new CommandError(exitCodes.partial, message);
  }
  if (disk !== null) return { disk: { file: disk, format: diskFormat } };
  return {
    kernel: {
      file: kernel,
      ...(initrd === null ? {} : { initrd }),
      commandLine: commandLine ?? '',
    },
  };
}
