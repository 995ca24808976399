/** What a saved plan's file holds, checked as strictly as a document. */
import * as z from 'zod';
import { REASONS } from '../diff/change.ts';
import { IMPACTS, ORIGINS, RESOURCE_FIELDS } from '../diff/fields.ts';
import { cidr, cpuSet, interfaceName } from '../documents/network-checks.ts';
import { FILE_NAME_PATTERN, NAME_PATTERN, PRIMARY_STATION } from '../model/names.ts';
import { IMAGE_DISK_PATH } from '../model/image-disk.ts';
import { IMAGE_URL_PATTERN } from '../model/image-url.ts';
import { INTAKE_KINDS } from '../model/intake.ts';
import { EGRESS_PATTERN } from '../model/egress.ts';
import { NETWORK_MODES } from '../model/network.ts';
import { RESOURCE_KINDS } from '../model/resource.ts';
import { SEED_FORMS, seedName } from '../model/seed.ts';
import {
  DELETION_POLICIES,
  DISK_FORMATS,
  IMAGE_FORMATS,
  PROVISIONS,
  TAKINGS,
} from '../model/volume.ts';
import { PHASES, STOP_STEPS } from '../plan/operation.ts';

export const SAVED_PLAN_API_VERSION = 'unnest.dev/saved-plan/v9';

const name = z.string().regex(NAME_PATTERN);
const file = z.string().regex(FILE_NAME_PATTERN);
const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const domain = z.strictObject({ uuid: z.uuid(), domainName: z.string() });
const bytes = z.int().nonnegative();
const fields = z.strictObject({
  vcpus: z.int(),
  vcpusMax: z.int(),
  memoryBytes: bytes,
  memoryMaxBytes: bytes,
  kernel: file.nullable(),
  initrd: file.nullable(),
  kernelImage: name.nullable().default(null),
  initrdImage: name.nullable().default(null),
  commandLine: z.string().nullable(),
  disk: file.nullable(),
  diskFormat: z.string().nullable(),
  bootVolume: z.string().nullable(),
  volumes: z.string(),
  cloudInit: z.string().nullable(),
  ignition: z.string().nullable(),
  network: z.string(),
  slice: z.string(),
  serialConsole: z.boolean(),
  guestAgent: z.boolean(),
  vsock: z.string(),
  runPolicy: z.string(),
  updatePolicy: z.string(),
  stopGraceMs: z.int().nonnegative(),
  forceStop: z.boolean(),
  protect: z.boolean(),
  labels: z.string(),
  startAfter: z.string(),
  readiness: z.string(),
  readinessPort: z.int().nullable(),
});
const partitionOwner = z.strictObject({ installation: z.uuid(), partition: name });
const owner = z.strictObject({ ...partitionOwner.shape, secondary: name });
const seedNames = z.string().refine((text) => seedName(text) === text, 'not the name of a seed');
const resource = z.strictObject({ kind: z.enum(RESOURCE_KINDS), name: z.union([name, seedNames]) });
const definition = z.strictObject({
  ...domain.shape,
  owner,
  fields,
  platform: z.strictObject({ domainType: z.string(), machine: z.string().nullable() }),
});

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const format = z.enum(DISK_FORMATS);
const deletionPolicy = z.enum(DELETION_POLICIES);
const volume = z.strictObject({
  name,
  sizeBytes: bytes,
  format,
  origin: z.strictObject({ image: name, digest, format, provision: z.enum(PROVISIONS) }).nullable(),
  // Plans of before it could be said have none.
  copyOf: name.nullable().default(null),
  deletionPolicy,
});
const pathOnDisk = z.string().regex(IMAGE_DISK_PATH);
const image = z.strictObject({
  name,
  digest,
  format: z.enum(IMAGE_FORMATS),
  source: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('file'), file }),
    z.strictObject({ kind: z.literal('catalogue'), file, isAllowed: z.boolean() }),
    z.strictObject({ kind: z.literal('upload'), sizeBytes: bytes }),
    z.strictObject({ kind: z.literal('handOver'), sizeBytes: bytes, isWritten: z.boolean() }),
    z.strictObject({
      kind: z.literal('imageDisk'),
      sizeBytes: bytes,
      path: pathOnDisk,
      taking: z.enum(TAKINGS),
      isWritten: z.boolean(),
    }),
    z.strictObject({
      kind: z.literal('url'),
      url: z.string().regex(IMAGE_URL_PATTERN),
      sizeBytes: bytes,
      isAllowed: z.boolean(),
    }),
  ]),
  virtualBytesMax: bytes.nullable(),
});
const intake = z.strictObject({
  image: name,
  kind: z.enum(INTAKE_KINDS),
  digest,
  sizeBytes: bytes,
});
const imageDiskGoal = z.strictObject({
  sizeBytes: bytes,
  given: z.array(z.strictObject({ image: name, digest, path: pathOnDisk, sizeBytes: bytes })),
});
/** What it holds is nobody's to read in a file that is passed around. */
const seed = z.strictObject({ name: seedNames, form: z.enum(SEED_FORMS), sizeBytes: bytes });
const slice = z.strictObject({ path: z.string().regex(/^\/unnest\/p[0-9a-f]{12}$/) });
const limit = bytes.nullable();
const sliceFields = z.strictObject({
  memoryMaxBytes: limit,
  swapMaxBytes: limit,
  cpus: limit,
  cpuWeight: limit,
  cpuset: cpuSet.nullable(),
  exclusiveCpus: z.boolean().nullable(),
  memoryMinBytes: limit,
  pidsMax: limit,
  diskBytesPerSecond: limit,
  diskOperationsPerSecond: limit,
});
const network = z.strictObject({ uuid: z.uuid(), networkName: z.string() });
const egress = z.string().regex(EGRESS_PATTERN);
const networkDefinition = z.strictObject({
  ...network.shape,
  owner: partitionOwner,
  bridge: z.string().regex(/^un-[0-9a-f]{12}$/),
  fields: z.strictObject({
    cidr,
    mode: z.enum(NETWORK_MODES),
    uplink: interfaceName.nullable(),
    portIsolation: z.boolean(),
    egress: egress.nullable(),
    networkBytesPerSecond: limit,
  }),
});
const reservation = z.strictObject({
  mac: z.string().regex(/^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/),
  address: z.ipv4(),
});

const filter = z.strictObject({
  table: z.string().regex(/^un_[0-9a-f]{12}$/),
  bridge: z.string().regex(/^un-[0-9a-f]{12}$/),
});
const filterFields = z.strictObject({
  gateway: z.ipv4(),
  mode: z.enum(NETWORK_MODES),
  uplink: interfaceName.nullable(),
  portIsolation: z.boolean(),
  egress: egress.nullable(),
  networkBytesPerSecond: limit,
});
const tap = z.string().regex(/^unt[0-9a-f]{12}$/);
const station = z.union([name, z.literal(PRIMARY_STATION)]);
const port = z.strictObject({ secondary: station, tap, ...reservation.shape });

const alias = z.string().regex(/^ua-un-[0-9a-f]{12}$/);
const plug = z.strictObject({
  alias,
  mac: reservation.shape.mac,
  tap,
  networkName: network.shape.networkName,
});

const head = {
  id: z.string(),
  resource: resource.nullable(),
  phase: z.enum(PHASES),
  after: z.array(z.string()),
};
const operation = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('installation.record'), ...head, installation: z.uuid() }),
  z.strictObject({
    kind: z.literal('domain.define'),
    ...head,
    definition,
    basis: z.string().nullable(),
  }),
  z.strictObject({ kind: z.literal('domain.set-memory'), ...head, domain, memoryBytes: bytes }),
  z.strictObject({ kind: z.literal('domain.start'), ...head, domain }),
  z.strictObject({ kind: z.literal('domain.resume'), ...head, domain }),
  z.strictObject({
    kind: z.literal('domain.stop'),
    ...head,
    domain,
    graceMs: bytes,
    steps: z.array(z.enum(STOP_STEPS)),
    basis: z.string().nullable(),
  }),
  z.strictObject({
    kind: z.literal('domain.await-ready'),
    ...head,
    domain,
    check: z.string().regex(/^(?:GuestAgent|Heartbeat|TcpPort:[1-9][0-9]{0,4})$/),
    timeoutMs: bytes,
  }),
  z.strictObject({ kind: z.literal('domain.note-stop'), ...head, domain }),
  z.strictObject({ kind: z.literal('domain.forget-stop'), ...head, domain }),
  z.strictObject({ kind: z.literal('domain.undefine'), ...head, domain, basis: z.string() }),
  z.strictObject({ kind: z.literal('domain.attach-disk'), ...head, domain, volume: name }),
  z.strictObject({ kind: z.literal('domain.detach-disk'), ...head, domain, volume: name }),
  z.strictObject({
    kind: z.literal('domain.grow-disk'),
    ...head,
    domain,
    user: owner,
    volume: name,
    sizeBytes: bytes,
  }),
  z.strictObject({ kind: z.literal('volume.create'), ...head, volume }),
  z.strictObject({ kind: z.literal('volume.grow'), ...head, volume: name, sizeBytes: bytes }),
  z.strictObject({
    kind: z.literal('volume.set-deletion-policy'),
    ...head,
    volume: name,
    deletionPolicy,
  }),
  z.strictObject({ kind: z.literal('volume.delete'), ...head, volume: name }),
  z.strictObject({ kind: z.literal('intake.create'), ...head, intake }),
  z.strictObject({ kind: z.literal('intake.delete'), ...head, image: name }),
  z.strictObject({ kind: z.literal('primary.lend-disk'), ...head, primary: domain, image: name }),
  z.strictObject({ kind: z.literal('primary.take-disk'), ...head, primary: domain, image: name }),
  z.strictObject({ kind: z.literal('intake.fill'), ...head, image: name, path: pathOnDisk }),
  z.strictObject({ kind: z.literal('image-disk.create'), ...head, goal: imageDiskGoal }),
  z.strictObject({
    kind: z.literal('image-disk.rework'),
    ...head,
    work: imageDiskGoal.extend({ removed: z.array(pathOnDisk) }),
  }),
  z.strictObject({ kind: z.literal('image-disk.delete'), ...head }),
  z.strictObject({ kind: z.literal('primary.lend-image-disk'), ...head, primary: domain }),
  z.strictObject({ kind: z.literal('primary.take-image-disk'), ...head, primary: domain }),
  z.strictObject({ kind: z.literal('image.verify'), ...head, image }),
  z.strictObject({ kind: z.literal('image.import'), ...head, image }),
  z.strictObject({ kind: z.literal('image.delete'), ...head, image: name }),
  z.strictObject({ kind: z.literal('seed.create'), ...head, seed }),
  z.strictObject({ kind: z.literal('seed.delete'), ...head, seed: seedNames }),
  z.strictObject({
    kind: z.literal('primary.set-vcpus'),
    ...head,
    primary: domain,
    vcpus: z.int().min(1),
  }),
  z.strictObject({
    kind: z.literal('primary.set-memory'),
    ...head,
    primary: domain,
    pluggedBytes: bytes,
  }),
  z.strictObject({ kind: z.literal('primary.plug'), ...head, primary: domain, plug }),
  z.strictObject({ kind: z.literal('primary.unplug'), ...head, primary: domain, alias }),
  z.strictObject({ kind: z.literal('slice.apply'), ...head, slice, fields: sliceFields }),
  z.strictObject({ kind: z.literal('slice.remove'), ...head, slice }),
  z.strictObject({
    kind: z.literal('filter.apply'),
    ...head,
    filter,
    fields: filterFields,
    ports: z.array(port),
  }),
  z.strictObject({ kind: z.literal('filter.close'), ...head, filter, secondary: station, tap }),
  z.strictObject({ kind: z.literal('filter.remove'), ...head, filter }),
  z.strictObject({
    kind: z.literal('network.define'),
    ...head,
    definition: networkDefinition,
    basis: z.string().nullable(),
  }),
  z.strictObject({ kind: z.literal('network.start'), ...head, network }),
  z.strictObject({ kind: z.literal('network.stop'), ...head, network }),
  z.strictObject({ kind: z.literal('network.undefine'), ...head, network }),
  z.strictObject({
    kind: z.literal('network.reserve'),
    ...head,
    network,
    secondary: station,
    reservation,
  }),
  z.strictObject({ kind: z.literal('network.unreserve'), ...head, network, secondary: station }),
]);

const field = z.strictObject({
  field: z.enum([...Object.keys(fields.shape), ...RESOURCE_FIELDS]),
  path: z.string(),
  from: scalar,
  to: scalar,
  impact: z.enum(IMPACTS),
  origin: z.enum(ORIGINS),
});
const entry = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.enum(['create', 'update', 'delete']),
    resource,
    impact: z.enum(IMPACTS),
    reasons: z.array(z.enum(REASONS)),
    fields: z.array(field),
    waiting: z.array(field),
    operations: z.array(z.string()),
  }),
  z.strictObject({
    kind: z.literal('blocked'),
    resource,
    block: z.strictObject({ code: z.string(), message: z.string() }),
  }),
  z.strictObject({ kind: z.literal('unchanged'), resource, waiting: z.array(field) }),
  z.strictObject({ kind: z.literal('kept'), resource }),
]);

export const savedPlanSchema = z.strictObject({
  apiVersion: z.literal(SAVED_PLAN_API_VERSION),
  partition: name,
  installation: z.uuid(),
  /** Over all the rest: what was reviewed is what is carried out. */
  digest: z.string(),
  basis: z.record(z.string(), z.string()),
  entries: z.array(entry),
  operations: z.array(operation),
});

export type SavedPlanDocument = z.output<typeof savedPlanSchema>;
