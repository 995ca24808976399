/**
 * What may stand in a document, said once: zod gives the type and the validator from it. The
 * message of every check is a noun phrase that completes "expected ...".
 */
import { z } from 'zod';
import {
  FILE_NAME_PATTERN,
  type FileName,
  NAME_PATTERN,
  type SecondaryName,
} from '../model/names.ts';
import { RUN_POLICIES, UPDATE_POLICIES } from '../model/secondary.ts';
import { formatSize, parseSize, SIZE_PATTERN } from '../model/sizes.ts';

export const API_VERSION = 'unnest.dev/v1';

const memoryBytesMin = 16 * 2 ** 20;
const memoryBytesMax = 16 * 2 ** 40;
/** QEMU's q35 machine takes up to 288 (QEMU 7.2). */
const vcpusMax = 288;
/** COMMAND_LINE_SIZE of x86 Linux. */
const commandLineMax = 2048;

const name = z
  .string('a name, such as web-1')
  .regex(
    NAME_PATTERN,
    'a name of 1 to 32 lower-case letters, digits and "-", starting with a letter and not ending in "-"',
  );

const file = z
  .string("the name of a file in the partition's store")
  .regex(
    FILE_NAME_PATTERN,
    "the name of a file in the partition's store (letters, digits, . _ + -), not a path",
  )
  .transform((text) => text as FileName);

const size = (bytesMin: number, bytesMax: number) =>
  z
    .string('a size, such as 512MiB')
    .regex(SIZE_PATTERN, 'a whole number with KiB, MiB, GiB or TiB, such as 512MiB')
    .transform((text, context) => {
      const bytes = parseSize(text);
      if (bytes !== undefined && bytes >= bytesMin && bytes <= bytesMax) return bytes;
      const message = `from ${formatSize(bytesMin)} to ${formatSize(bytesMax)}`;
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    });

const wholeNumber = (min: number, max: number) =>
  z
    .int(`a whole number from ${min} to ${max}`)
    .min(min, `a whole number from ${min} to ${max}`)
    .max(max, `a whole number from ${min} to ${max}`);

// Printable ASCII: the kernel splits it at blanks, and a line break would end libvirt's log line.
const commandLine = z
  .string()
  .max(commandLineMax, `at most ${commandLineMax} characters`)
  .regex(/^[\x20-\x7e]*$/, 'printable ASCII on one line');

const labelText = z.string().max(253, 'at most 253 characters');
const labels = z.record(
  z
    .string()
    .regex(
      /^[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,251}[A-Za-z0-9])?$/,
      'a label key as in Kubernetes (letters, digits, . _ / -)',
    ),
  labelText,
);

const metadata = z.strictObject({
  name: name.transform((text) => text as SecondaryName),
  labels: labels.optional(),
  annotations: labels.optional(),
});

const kernel = z.strictObject({
  file,
  initrd: file.optional(),
  commandLine: commandLine.default(''),
});
const disk = z.strictObject({ file, format: z.enum(['raw', 'qcow2'], 'raw or qcow2') });

// Not a union of the two: its errors would speak of both forms whatever was meant.
const boot = z
  .strictObject({ kernel: kernel.optional(), disk: disk.optional() })
  .transform((value, context) => {
    if (value.kernel !== undefined && value.disk === undefined) return { kernel: value.kernel };
    if (value.disk !== undefined && value.kernel === undefined) return { disk: value.disk };
    context.addIssue({ code: 'custom', message: 'exactly one of kernel and disk' });
    return z.NEVER;
  });

const secondarySchema = z.strictObject({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal('Secondary'),
  metadata,
  spec: z.strictObject({
    vcpus: wholeNumber(1, vcpusMax),
    memory: size(memoryBytesMin, memoryBytesMax),
    boot,
    serialConsole: z.boolean().default(true),
    runPolicy: z.enum(RUN_POLICIES, RUN_POLICIES.join(', ')).default('Always'),
    updatePolicy: z.enum(UPDATE_POLICIES, UPDATE_POLICIES.join(' or ')).default('Staged'),
    terminationGracePeriodSeconds: wholeNumber(0, 3600).default(30),
  }),
});

export type SecondaryDocument = z.output<typeof secondarySchema>;

/** Every kind that a document may be. Adding one here is what makes it known. */
export const schemas = { Secondary: secondarySchema } as const;
export type Kind = keyof typeof schemas;
