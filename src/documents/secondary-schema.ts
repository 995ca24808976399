/** A document of kind Secondary: one VM that a Primary wants, or several that are alike. */
import * as z from 'zod';
import type { ImageName, SecondaryName } from '../model/names.ts';
import {
  NETWORK_CHOICES,
  READINESS_CHOICES,
  RUN_POLICIES,
  UPDATE_POLICIES,
} from '../model/secondary.ts';
import { DISK_FORMATS } from '../model/volume.ts';
import { cloudInitField, ignitionField } from './first-boot-schema.ts';
import {
  branded,
  field,
  file,
  headerOf,
  listOf,
  metadataOf,
  name,
  oneOf,
  memorySize,
  textOf,
  wholeNumber,
} from './schema-parts.ts';

/** From 256 on QEMU needs an IOMMU with extended interrupt mode. */
const vcpusMax = 255;
/** COMMAND_LINE_SIZE of x86 Linux. */
export const commandLineMax = 2048;
const replicasMax = 1000;
/** As many as one name can stand for, so that `export` can always write them out. */
const startAfterMax = replicasMax;
/** Beside the one that it boots from: as many as vdb to vdz name, which is what QEMU's q35 has slots for. */
const disksMax = 16;

const secondaryName = branded<SecondaryName>(name);

// Printable ASCII: the kernel splits it at blanks, and a line break would end libvirt's log line.
// `$(` is kept for placeholders, of which there is one, so that more can come without harm.
const commandLine = z
  .string()
  .max(commandLineMax, `at most ${commandLineMax} characters`)
  .regex(/^[\x20-\x7e]*$/, { error: 'printable ASCII on one line', abort: true })
  .regex(/^(?:[^$]|\$(?!\()|\$\(name\))*$/, 'no other placeholder than $(name)')
  .meta({
    expects: `at most ${commandLineMax} characters of printable ASCII, and no other placeholder than $(name)`,
  });

const imageReference = branded<ImageName>(name);

const kernelFields = z.strictObject({
  file: field(file.optional(), {
    description:
      "The kernel: the name of a file that the operator has put into the partition's store.",
    change: 'restart',
  }),
  initrd: field(file.optional(), {
    description: "The initial RAM disk, beside file: the name of a file in the partition's store.",
    change: 'restart',
  }),
  image: field(imageReference.optional(), {
    description: 'The kernel: the name of an Image of format bzImage.',
    change: 'restart',
  }),
  initrdImage: field(imageReference.optional(), {
    description: 'The initial RAM disk, beside image: the name of an Image of format initrd.',
    change: 'restart',
  }),
  commandLine: field(commandLine.default(''), {
    description:
      'What the kernel is told. $(name) stands for the name of the Secondary, which tells replicas apart.',
    change: 'restart',
  }),
});

const oneKernel = 'exactly one of file and image';

// Not a union of the two, as with `boot` below.
const kernel = kernelFields.transform(
  ({ file: name, initrd, image, initrdImage, commandLine: line }, context) => {
    const mistake = (message: string, path: string[]) =>
      context.addIssue({ code: 'custom', message, path });
    if ((name === undefined) === (image === undefined)) mistake(oneKernel, []);
    else if (name !== undefined && initrdImage !== undefined) {
      mistake('nothing beside file, with which initrd names a file', ['initrdImage']);
    } else if (image !== undefined && initrd !== undefined) {
      mistake('nothing beside image, with which initrdImage names an Image', ['initrd']);
    } else if (name !== undefined) return { file: name, initrd, commandLine: line };
    else if (image !== undefined) return { image, initrdImage, commandLine: line };
    return z.NEVER;
  },
);

/** That it is one once the name is filled in, `expand.ts` sees to. */
const volumeReference = textOf(
  /^(?:[a-z0-9-]|\$\(name\)){1,64}$/,
  'the name of a Volume, in which $(name) may stand for the name of the Secondary',
);

const disk = z.strictObject({
  file: field(file, {
    description: "The disk image: the name of a file in the partition's store.",
    change: 'restart',
  }),
  format: field(oneOf(DISK_FORMATS), {
    description:
      "How the image's bytes are to be read. Always said, since a guest can write any header.",
    change: 'restart',
  }),
});

// Not a union of the two: its errors would speak of both forms whatever was meant.
const boot = z
  .strictObject({
    kernel: field(
      kernel.optional(),
      { description: `Boots a Linux kernel directly: ${oneKernel}.` },
      {
        oneOf: ['file', 'image'].map((one) => ({ required: [one], properties: { [one]: true } })),
        dependencies: { initrd: ['file'], initrdImage: ['image'] },
      },
    ),
    disk: field(disk.optional(), {
      description: "Boots what is on a disk image in the partition's store.",
    }),
    volume: field(volumeReference.optional(), {
      description:
        'Boots what is on a Volume, by its name. $(name) stands for the name of the Secondary.',
      change: 'restart',
    }),
  })
  .transform(({ kernel: direct, disk: image, volume }, context) => {
    const given = [direct, image, volume].filter((each) => each !== undefined);
    if (given.length === 1) {
      if (direct !== undefined) return { kernel: direct };
      if (image !== undefined) return { disk: image };
      if (volume !== undefined) return { volume };
    }
    context.addIssue({ code: 'custom', message: 'exactly one of kernel, disk and volume' });
    return z.NEVER;
  });

const attachedDisk = z.strictObject({
  volume: field(volumeReference, {
    description: 'The Volume, by its name. $(name) stands for the name of the Secondary.',
    change: 'restart',
  }),
});

const spec = z.strictObject({
  replicas: field(wholeNumber(1, replicasMax).optional(), {
    description:
      'How many of them: NAME-0, NAME-1 and so on. Without it there is one, which is called NAME.',
    change: 'none; Secondaries are created, or deleted from the highest number down',
  }),
  vcpus: field(wholeNumber(1, vcpusMax), {
    description: 'How many virtual CPUs.',
    change: 'restart',
  }),
  memory: field(memorySize(16 * 2 ** 20, 16 * 2 ** 40), {
    description: 'How much memory, from 16MiB to 16TiB, in whole MiB.',
    change:
      "live up to what it was started with (virtio balloon, with the guest's help), else restart",
  }),
  boot: field(
    boot,
    { description: 'What it boots: exactly one of kernel, disk and volume.', change: 'restart' },
    { minProperties: 1, maxProperties: 1 },
  ),
  disks: field(z.array(attachedDisk).max(disksMax, `at most ${disksMax} entries`).default([]), {
    description:
      'Volumes that it has besides the one it boots from, in this order. A guest tells each by its serial number: its name, or of one longer than 20 characters the first 11, "-" and 8 digits of its SHA-256.',
    change:
      'live, as long as the guest has a port free for each, else restart; another order: none',
  }),
  cloudInit: cloudInitField,
  ignition: ignitionField,
  network: field(oneOf(NETWORK_CHOICES).default('None'), {
    description:
      "Whether it has a NIC on the partition's network, with an address that stays its own. None: it has none.",
    change: 'restart',
  }),
  serialConsole: field(z.boolean().default(true), {
    description: 'Whether it has a serial console, which `unnest console` shows.',
    change: 'restart',
  }),
  guestAgent: field(z.boolean().default(false), {
    description:
      'Whether it has a channel for the QEMU guest agent (org.qemu.guest_agent.0), which is then asked first when the guest is to shut down.',
    change: 'restart',
  }),
  runPolicy: field(oneOf(RUN_POLICIES).default('Always'), {
    description:
      'Whether it runs. Always: whenever it does not run, it is started. RerunOnFailure: the same, unless the guest shut itself down. Manual: somebody else starts and stops it. Halted: it is stopped.',
    change: 'starts or shuts down',
  }),
  updatePolicy: field(oneOf(UPDATE_POLICIES).default('Staged'), {
    description:
      'What becomes of changes that need a restart. Staged: they wait for the next start. Restart: `apply` restarts the guest.',
    change: 'none',
  }),
  terminationGracePeriodSeconds: field(wholeNumber(0, 3600).default(30), {
    description:
      'How long the guest may take to shut down before it is powered off, in seconds. 0: at once.',
    change: 'live',
  }),
  forceStop: field(z.boolean().default(true), {
    description:
      'Whether a guest that does not shut down in time is powered off. false: it runs on, and the stop is tried again later.',
    change: 'live',
  }),
  protect: field(z.boolean().default(false), {
    description: 'Refuse whatever would delete it or make it anew.',
    change: 'live',
  }),
  startAfter: field(listOf(secondaryName, startAfterMax).default([]), {
    description:
      'Secondaries that are ready before this one is started. The name of a replicated one means all its replicas.',
    change: 'none; it orders the next start',
  }),
  readiness: field(oneOf(READINESS_CHOICES).default('Running'), {
    description:
      'When it is Ready, and those may start that start after it. Running: as soon as it runs. GuestAgent: once its guest agent answers (needs guestAgent: true). TcpPort: once readinessPort of its address takes a connection from the host (needs network: Partition). Heartbeat: once its guest has connected to CID 2, port 9000 by vsock, and got the byte 0xB7 back that it sent; for that it gets a vsock device. What was ready once stays so until the guest stops.',
    change: 'none; for Heartbeat and from it, restart (the vsock device)',
  }),
  readinessPort: field(wholeNumber(1, 65_535).optional(), {
    description: 'With readiness: TcpPort, the TCP port that is tried.',
    change: 'none; it is looked at anew',
  }),
});

export const secondarySchema = z
  .strictObject({
    ...headerOf('Secondary'),
    metadata: metadataOf(
      secondaryName,
      'The name, unique in the partition. With replicas, the name of all of them.',
    ),
    spec: field(spec, { description: 'What it is to be.' }),
  })
  .meta({ title: 'Secondary', description: 'A VM beside its Primary, or several that are alike.' });

export type SecondaryDocument = z.output<typeof secondarySchema>;
