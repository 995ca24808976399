/**
 * A simulated world as the text of its file, and back. The text is for people to read and to edit,
 * so it is checked as strictly as anything else that comes from outside.
 */
import * as z from 'zod';
import type { DomainFields } from '../../model/domain.ts';
import { domainUuid, installationId } from '../../model/identity.ts';
import { partitionName, secondaryName } from '../../model/names.ts';
import type { World } from './world.ts';

/** Rises when a file of before can no longer be read. */
const FORMAT = 1;

const parsedBy = <T>(parse: (text: string) => T | undefined) =>
  z.string().transform((text, context): T => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message: `"${text}" is no such name` });
    return z.NEVER;
  });

const amount = z.int().nonnegative();
const text = z.string();

const fields = z.strictObject({
  vcpus: amount,
  vcpusMax: amount,
  memoryBytes: amount,
  memoryMaxBytes: amount,
  kernel: text.nullable(),
  initrd: text.nullable(),
  commandLine: text.nullable(),
  disk: text.nullable(),
  diskFormat: text.nullable(),
  serialConsole: z.boolean(),
  runPolicy: text,
  updatePolicy: text,
  stopGraceMs: amount,
  protect: z.boolean(),
  labels: text,
  startAfter: text,
} satisfies { readonly [F in keyof DomainFields]: z.ZodType<DomainFields[F]> });

const owner = z.strictObject({
  installation: parsedBy(installationId),
  partition: parsedBy(partitionName),
  secondary: parsedBy(secondaryName),
});

const stopReason = z.enum(['guest-shutdown', 'powered-off', 'crashed', 'failed', 'unknown']);

const guest = z.strictObject({
  state: z.enum(['running', 'paused', 'stopping']),
  fields,
  startedAtMs: z.number(),
  end: z.strictObject({ atMs: z.number(), reason: stopReason }).nullable(),
  balloon: z.strictObject({ atMs: z.number(), bytes: amount }).nullable(),
});

const domain = z.strictObject({
  uuid: parsedBy(domainUuid),
  domainName: text,
  persistent: z.boolean(),
  definition: z.strictObject({
    owner: owner.nullable(),
    fields,
    lastApplied: fields.nullable(),
    stopAsked: z.boolean(),
  }),
  stopReason,
  guest: guest.nullable(),
});

const file = z.strictObject({
  format: z.literal(FORMAT),
  installation: parsedBy(installationId).nullable(),
  domains: z.array(domain),
  files: z.record(z.string(), z.record(z.string(), amount)),
});

/** @throws Error if the text is not that of a world, all of it */
export function parseWorld(content: string): World {
  const { installation, domains, files } = file.parse(JSON.parse(content));
  return {
    installation,
    domains: new Map(domains.map((each) => [each.uuid, each])),
    files: new Map(
      Object.entries(files).map(([partition, names]) => [
        partition,
        new Map(Object.entries(names)),
      ]),
    ),
  };
}

export function worldText({ installation, domains, files }: World): string {
  const plain: z.input<typeof file> = {
    format: FORMAT,
    installation,
    domains: [...domains.values()],
    files: Object.fromEntries(
      [...files].map(([partition, names]) => [partition, Object.fromEntries(names)]),
    ),
  };
  return `${JSON.stringify(plain, null, 2)}\n`;
}
