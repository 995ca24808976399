/**
 * What may stand in the configuration of unnestd. Everything has a default, so that no file is
 * needed, and a file says only what is different here.
 */
import * as z from 'zod';
import {
  field,
  headerOf,
  name,
  oneOf,
  size,
  textOf,
  wholeNumber,
} from '../documents/schema-parts.ts';
import { LVM_NAME_PATTERN } from '../model/thin-pool.ts';
import { overcommitMax } from '../partition/host-room.ts';

export const CONFIG_KIND = 'DaemonConfig';

const factorForm = `a number from 1 to ${overcommitMax} with at most two decimals, such as 1.5`;

/** A name in it that leads elsewhere (`.`, `..`) would make comparing places guesswork. */
const path = textOf(
  // oxlint-disable-next-line no-control-regex -- no such character is ever meant
  /^(?=.{2,4000}$)(?:\/(?!\.{1,2}(?:\/|$))[^/\u0000-\u001f\u007f]+)+$/,
  'an absolute path without . and .. in it, and without / at its end',
);

/** A socket's path has 107 bytes, of which its name takes some. */
const socketFolder = path.refine(
  (text) => new TextEncoder().encode(text).length <= 80,
  'a path of at most 80 bytes, as sockets are made in it',
);

const vmSocket = path.refine(
  (text) => new TextEncoder().encode(text).length <= 90,
  'a path of at most 90 bytes, as the port comes behind it',
);

const hostUri = textOf(
  /^[a-z][a-z0-9+]{0,31}:[^\s\u007f]{1,1000}$/,
  'a libvirt URI, such as qemu:///system',
);

const groupName = textOf(/^[a-z_][a-z0-9_-]{0,31}$/, 'the name of a group of this machine');

const metrics = z
  .strictObject({
    listen: field(oneOf(['unix', 'loopback', 'none']).default('unix'), {
      description:
        'Where GET /metrics is answered. unix: on metrics.sock in runDir. loopback: on 127.0.0.1, for everybody on this machine. none: nowhere.',
    }),
    port: field(wholeNumber(1, 65_535).optional(), {
      description: 'The port on 127.0.0.1; 9464 unless another is named.',
    }),
  })
  .refine(({ listen, port }) => listen === 'loopback' || port === undefined, {
    message: 'no port unless listen is loopback',
    path: ['port'],
  });

const channel = z.strictObject({
  port: field(wholeNumber(512, 1023).default(1021), {
    description:
      'The vsock port that Primaries connect to, from 512 to 1023: no other program can take one of these unless it is root.',
  }),
  sockets: field(z.record(name, vmSocket).optional(), {
    description:
      "By partition, the vsock socket of its Primary's VM where the hypervisor is Firecracker or cloud-hypervisor (uds_path, socket). Its guest is listened to at that path with _PORT behind it.",
  }),
});

const retry = z.strictObject({
  attemptsMax: field(wholeNumber(1, 1000).default(10), {
    description: 'After how many failures in a row a thing is no longer tried by itself.',
  }),
  delaySecondsMax: field(wholeNumber(1, 86_400).default(300), {
    description: 'The longest wait between two attempts, in seconds; waits double up to it.',
  }),
});

const TiB = 2 ** 40;

const hostReserved = z.strictObject({
  vcpus: field(wholeNumber(0, 8192).default(0), {
    description:
      'CPUs that no partition is promised. None by default: what the host does takes turns with guests.',
  }),
  memory: field(size(0, 1024 * TiB).prefault('1GiB'), {
    description:
      'Memory that no partition is promised: for the kernel, libvirtd, unnestd and workers of partitions without a slice.',
  }),
});

const factor = z
  .number(factorForm)
  .min(1, { error: factorForm, abort: true })
  .max(overcommitMax, { error: factorForm, abort: true })
  .refine((number) => Number(number.toFixed(2)) === number, factorForm);

const overcommit = z.strictObject({
  vcpus: field(factor.default(1), {
    description:
      'How many times the CPUs there are may be promised. More than 1: guests wait for one another.',
  }),
  memory: field(factor.default(1), {
    description:
      'How many times the memory there is may be promised. More than 1: when all use what they were promised, the kernel kills.',
  }),
});

const fetch = z.strictObject({
  caFile: field(path.optional(), {
    description:
      'A file of certificates in PEM, such as those of a mirror of yours, that are trusted besides those that Node.js trusts.',
  }),
});

const lvmName = textOf(LVM_NAME_PATTERN, 'a name as LVM has them (letters, digits, + _ . -)');

const store = z.strictObject({
  thinPool: field(
    z
      .strictObject({
        group: field(lvmName, { description: 'The volume group.' }),
        pool: field(lvmName, { description: 'The thin pool in it.' }),
      })
      .optional(),
    {
      description:
        "A thin pool of LVM's, yours, in which new Volumes are put as logical volumes (raw ones only); without it they are files in stateDir. Those that are there stay where they are.",
    },
  ),
});

const spec = z.strictObject({
  host: field(hostUri.default('qemu:///system'), { description: "libvirt's URI of this host." }),
  stateDir: field(path.default('/var/lib/unnest'), {
    description: 'Where accepted documents, Volumes and Images are kept.',
  }),
  store: field(store.prefault({}), { description: 'What Volumes are kept in.' }),
  partitionsDir: field(path.default('/etc/unnest/partitions'), {
    description: 'Where the Partition documents are, one in each NAME.yaml.',
  }),
  desiredStateDir: field(path.default('/etc/unnest/desired'), {
    description:
      'Where the documents of partitions with source Directory are, each in a folder of its name.',
  }),
  runDir: field(socketFolder.default('/run/unnest'), {
    description: 'Where the sockets and the status files are, until the next boot.',
  }),
  operatorGroup: field(groupName.default('unnest'), {
    description:
      "Whose members may use the operators' socket, and so do anything to any partition.",
  }),
  metrics: field(metrics.prefault({}), { description: 'Numbers for a monitoring system.' }),
  channel: field(channel.prefault({}), {
    description:
      'Where Primaries speak. Nobody listens there unless a partition has source Channel.',
  }),
  resyncSeconds: field(wholeNumber(10, 86_400).default(300), {
    description: 'How often every partition is looked at although nothing has told of a change.',
  }),
  passesInFlightMax: field(wholeNumber(1, 64).default(4), {
    description: 'How many partitions are worked on at a time.',
  }),
  operationsInFlightMax: field(wholeNumber(1, 32).default(4), {
    description: 'How many operations of one pass are under way at a time.',
  }),
  retry: field(retry.prefault({}), { description: 'What becomes of what fails.' }),
  hostReserved: field(hostReserved.prefault({}), {
    description: 'What is kept for the host itself, and promised to no partition.',
  }),
  overcommit: field(overcommit.prefault({}), {
    description: 'Promising partitions more than there is: by nothing else than these factors.',
  }),
  maxDeletions: field(wholeNumber(0, 20_000).default(10), {
    description:
      'The most Secondaries, Volumes and Images that one pass may delete, unless a submission says otherwise.',
  }),
  consoleLogs: field(z.boolean('true or false').default(true), {
    description:
      'Whether what Secondaries write to their serial consoles is kept in stateDir (`unnest logs`), at most 4 MiB of each. Their consoles are then open for as long as they run.',
  }),
  fetch: field(fetch.prefault({}), {
    description: 'How Images are fetched from URLs, which the policy of partitions allows.',
  }),
  logLevel: field(oneOf(['debug', 'info', 'warn', 'error']).default('info'), {
    description: 'The least grave kind of line that is logged.',
  }),
});

export const configSchema = z
  .strictObject({
    ...headerOf(CONFIG_KIND),
    spec: field(spec.prefault({}), { description: 'What is different from the defaults.' }),
  })
  .meta({ title: CONFIG_KIND, description: 'The configuration of unnestd.' });

export type ConfigDocument = z.output<typeof configSchema>;
export type ConfigSpec = ConfigDocument['spec'];
