/**
 * What may stand in the file of a simulated world. The text is for people to read and to edit, so it
 * is checked as strictly as anything else that comes from outside. What an earlier version did not
 * write yet has a default, so that its files are still read.
 */
import * as z from 'zod';
import type { DomainFields } from '../../model/domain.ts';
import { domainUuid, installationId, networkUuidFrom } from '../../model/identity.ts';
import {
  imageName,
  partitionName,
  secondaryName,
  stationName,
  volumeName,
} from '../../model/names.ts';
import { INTAKE_KINDS } from '../../model/intake.ts';
import { NETWORK_MODES } from '../../model/network.ts';
import type { PrimaryNic } from '../../model/uplink.ts';
import { defaultRouteDefault, sizeDefault } from './world.ts';
import type { SliceFields } from '../../model/slice.ts';
import { SEED_FORMS, seedName } from '../../model/seed.ts';
import {
  DELETION_POLICIES,
  DISK_FORMATS,
  IMAGE_FORMATS,
  PROVISIONS,
  STORED_STATES,
} from '../../model/volume.ts';

/** Rises when a file of before can no longer be read. */
export const FORMAT = 1;

const parsedBy = <T extends string>(parse: (text: string) => T | undefined) =>
  z.string().transform((text, context): T => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message: `"${text}" is no such name` });
    return z.NEVER;
  });

const amount = z.int().nonnegative();
const text = z.string();

const domainFields = z.strictObject({
  vcpus: amount,
  vcpusMax: amount,
  memoryBytes: amount,
  memoryMaxBytes: amount,
  kernel: text.nullable(),
  initrd: text.nullable(),
  kernelImage: text.nullable().default(null),
  initrdImage: text.nullable().default(null),
  commandLine: text.nullable(),
  disk: text.nullable(),
  diskFormat: text.nullable(),
  bootVolume: text.nullable().default(null),
  volumes: text.default(''),
  cloudInit: text.nullable().default(null),
  ignition: text.nullable().default(null),
  network: text.default('None'),
  slice: text.default('None'),
  serialConsole: z.boolean(),
  guestAgent: z.boolean().default(false),
  vsock: text.default('None'),
  runPolicy: text,
  updatePolicy: text,
  stopGraceMs: amount,
  forceStop: z.boolean().default(true),
  protect: z.boolean(),
  labels: text,
  startAfter: text,
  readiness: text.default('Running'),
  readinessPort: amount.nullable().default(null),
} satisfies { readonly [F in keyof DomainFields]: z.ZodType<DomainFields[F]> });

const partitionOwner = z.strictObject({
  installation: parsedBy(installationId),
  partition: parsedBy(partitionName),
});

const owner = z.strictObject({ ...partitionOwner.shape, secondary: parsedBy(secondaryName) });

const stopReason = z.enum(['guest-shutdown', 'powered-off', 'crashed', 'failed', 'unknown']);

const guest = z.strictObject({
  state: z.enum(['running', 'paused', 'stopping']),
  fields: domainFields,
  startedAtMs: z.number(),
  // Guests of before have run without an agent.
  runId: amount.default(0),
  inSlice: z.boolean().default(false),
  agent: z.enum(['connected', 'disconnected', 'none']).default('none'),
  agentAtMs: z.number().nullable().default(null),
  foundReady: text.nullable().default(null),
  end: z.strictObject({ atMs: z.number(), reason: stopReason }).nullable(),
  balloon: z.strictObject({ atMs: z.number(), bytes: amount }).nullable(),
  // Guests of before were started without any to spare.
  portsFree: amount.default(0),
  unplugging: z
    .array(z.strictObject({ atMs: z.number(), volume: parsedBy(volumeName) }))
    .default(() => []),
});

const domain = z.strictObject({
  uuid: parsedBy(domainUuid),
  domainName: text,
  persistent: z.boolean(),
  definition: z.strictObject({
    owner: owner.nullable(),
    fields: domainFields,
    lastApplied: domainFields.nullable(),
    stopAsked: z.boolean(),
  }),
  stopReason,
  // Files of before have none.
  saved: z.boolean().default(false),
  guest: guest.nullable(),
});

const networkFields = z.strictObject({
  cidr: text,
  mode: z.enum(NETWORK_MODES),
  uplink: text.nullable(),
  // Files of before have no packet filters.
  portIsolation: z.boolean().default(false),
  egress: text.nullable().default(null),
  networkBytesPerSecond: amount.nullable().default(null),
});

const filter = z.strictObject({
  fields: networkFields.omit({ cidr: true }).extend({ gateway: text }).nullable(),
  ports: z.array(z.strictObject({ tap: text, mac: text, address: text })),
});

const reservation = z.strictObject({ mac: text, address: text, inDns: z.boolean() });

const networkSide = z.strictObject({
  owner: partitionOwner.nullable(),
  fields: networkFields.nullable(),
  lastApplied: networkFields.nullable(),
  reservations: z.record(parsedBy(stationName), reservation),
});

const network = z.strictObject({
  uuid: parsedBy(networkUuidFrom),
  networkName: text,
  definition: networkSide.nullable(),
  live: networkSide.nullable(),
});

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const diskFormat = z.enum(DISK_FORMATS);

/** A number is its size: what its bytes come to is whatever somebody asks for. */
const storedFile = z.union([amount, z.strictObject({ bytes: amount, digest })]);

const volume = z.strictObject({
  owner: partitionOwner.nullable(),
  state: z.enum(STORED_STATES),
  sizeBytes: amount,
  format: diskFormat,
  origin: z
    .strictObject({
      image: parsedBy(imageName),
      digest,
      format: diskFormat,
      provision: z.enum(PROVISIONS),
    })
    .nullable(),
  copyOf: parsedBy(volumeName).nullable().default(null),
  deletionPolicy: z.enum(DELETION_POLICIES),
});

const image = z.strictObject({
  owner: partitionOwner.nullable(),
  state: z.enum(STORED_STATES),
  digest,
  format: z.enum(IMAGE_FORMATS),
  sizeBytes: amount,
  // A simulated file is as large as its disk.
  fileBytes: amount.optional(),
  moved: z.strictObject({ path: text, sizeBytes: amount }).nullable().default(null),
});

const intake = z.strictObject({
  owner: partitionOwner.nullable(),
  state: z.enum(STORED_STATES),
  kind: z.enum(INTAKE_KINDS),
  digest,
  sizeBytes: amount,
  lentTo: z.strictObject({ uuid: parsedBy(domainUuid), domainName: text }).nullable(),
  receivedBytes: amount,
  heldBytes: amount,
});

const imageDisk = z.strictObject({
  owner: partitionOwner.nullable(),
  state: z.enum(STORED_STATES),
  sizeBytes: amount,
  heldBytes: amount,
  given: z.array(
    z.strictObject({ image: parsedBy(imageName), digest, path: text, sizeBytes: amount }),
  ),
  takenOut: z.array(text),
  lentTo: z.strictObject({ uuid: parsedBy(domainUuid), domainName: text }).nullable(),
});

const seed = z.strictObject({
  owner: partitionOwner.nullable(),
  state: z.enum(STORED_STATES),
  form: z.enum(SEED_FORMS),
  sizeBytes: amount,
});

const limit = amount.nullable();
const sliceFields = z.strictObject({
  memoryMaxBytes: limit,
  swapMaxBytes: limit,
  cpus: limit,
  cpuWeight: limit.default(null),
  cpuset: text.nullable().default(null),
  exclusiveCpus: z.boolean().nullable().default(false),
  memoryMinBytes: limit.default(null),
  pidsMax: limit,
  diskBytesPerSecond: limit,
  diskOperationsPerSecond: limit,
} satisfies { readonly [F in keyof SliceFields]: z.ZodType<SliceFields[F]> });

const primaryHas = z.strictObject({ vcpus: amount, pluggedBytes: amount });

const primaryNic = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('bridge'), bridge: text }),
  z.strictObject({ kind: z.literal('direct'), device: text }),
  z.strictObject({ kind: z.literal('network'), networkName: text }),
  z.strictObject({ kind: z.literal('ethernet'), tap: text }),
  z.strictObject({ kind: z.literal('other'), type: text }),
]) satisfies z.ZodType<PrimaryNic>;

const plug = z.strictObject({
  alias: text,
  mac: text,
  tap: text.nullable(),
  networkName: text.nullable(),
});

const primary = z.strictObject({
  uuid: parsedBy(domainUuid),
  live: primaryHas.nullable(),
  defined: primaryHas,
  vcpusMax: amount,
  vcpusFixed: amount,
  baseBytes: amount,
  device: z.strictObject({ blockBytes: amount, sizeBytes: amount }).nullable(),
  pinnedBy: text.nullable(),
  translationCacheBytes: amount,
  slicePath: text.nullable(),
  nextSlicePath: text.nullable(),
  // Files of before say nothing of NICs: libvirt's own network is what most guests have.
  nics: z.array(primaryNic).default([{ kind: 'network', networkName: 'default' }]),
  plugs: z.array(plug).default([]),
  livePlugs: z.array(plug).nullable().optional(),
  releasesAfterMs: amount.nullable(),
  release: z
    .strictObject({ atMs: z.number(), vcpus: amount, pluggedBytes: amount })
    .nullable()
    .default(null),
  lentDisks: z.array(text).default([]),
  unplugging: z.strictObject({ atMs: z.number(), alias: text }).nullable().default(null),
});

const inPartitions = <T extends z.ZodType>(each: T) => z.record(parsedBy(partitionName), each);

export const worldSchema = z.strictObject({
  format: z.literal(FORMAT),
  installation: parsedBy(installationId).nullable(),
  runs: amount.default(0),
  domains: z.array(domain),
  networks: z.array(network).default([]),
  files: inPartitions(z.record(text, storedFile)),
  volumes: inPartitions(z.record(parsedBy(volumeName), volume)).default({}),
  images: inPartitions(z.record(parsedBy(imageName), image)).default({}),
  intakes: inPartitions(z.record(parsedBy(imageName), intake)).default({}),
  imageDisks: inPartitions(imageDisk).default({}),
  catalogue: z.record(text, storedFile).default({}),
  seeds: inPartitions(z.record(parsedBy(seedName), seed)).default({}),
  filters: z.record(z.string(), filter).default({}),
  slices: z.record(z.string(), sliceFields).default({}),
  primaries: z.record(z.string(), primary).default({}),
  size: z.strictObject({ cpus: amount, memoryBytes: amount }).default(sizeDefault),
  defaultRoute: text.nullable().default(defaultRouteDefault),
});
