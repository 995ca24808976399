/** A document of kind Partition: a share of the host, as its operator grants it. */
import * as z from 'zod';
import { EGRESS_PROTOCOLS } from '../model/egress.ts';
import { IMAGE_HOST_PATTERN, parseImageHost } from '../model/image-url.ts';
import { partitionOfDomain } from '../model/identity.ts';
import type { PartitionName } from '../model/names.ts';
import { NETWORK_MODES } from '../model/network.ts';
import { ENFORCEMENTS } from '../model/share.ts';
import { cidr, cpuSet, destination, interfaceName } from './network-checks.ts';
import {
  branded,
  field,
  file,
  headerOf,
  listOf,
  metadataOf,
  name,
  oneOf,
  size,
  textOf,
  wholeNumber,
} from './schema-parts.ts';

const KiB = 2 ** 10;
const MiB = 2 ** 20;
const GiB = 2 ** 30;
const TiB = 2 ** 40;
const memory = size(16 * MiB, 16 * TiB);
const diskBandwidth = size(KiB, TiB);
/** nf_tables counts in nanoseconds times bytes, in 64 bits: 2^64 / 10^9 is 17.1 GiB (nft_limit.c). */
const networkBandwidth = size(KiB, 16 * GiB);
/** What a host of today's largest kind has. */
const cpusMax = 8192;

const domainName = textOf(
  /^[A-Za-z0-9][A-Za-z0-9._+:@-]{0,127}$/,
  'the name of a libvirt domain (letters, digits, . _ + : @ -)',
  // Those are Secondaries.
).refine(
  (name) => partitionOfDomain(name) === null,
  'a domain of yours, not one that unnest makes',
);

const primary = z
  .strictObject({
    domain: field(domainName, { description: "The Primary's libvirt domain." }),
    reserved: field(
      z.strictObject({
        vcpus: field(wholeNumber(1, 288), { description: 'Virtual CPUs that it always keeps.' }),
        memory: field(memory, { description: 'Memory that it always keeps, from 16MiB to 16TiB.' }),
      }),
      { description: 'What is never carved out of the Primary for its Secondaries.' },
    ),
    grants: field(
      listOf(oneOf(['vcpus', 'memory', 'network', 'handOver', 'imageDisk', 'channel']), 6).default(
        [],
      ),
      {
        description:
          "What unnest may change of the Primary's domain, which is the operator's. vcpus, memory: take them for Secondaries, and give them back. network: plug a NIC of ours into the partition's network. handOver: lend it blank disks while it runs, on which it hands in Images. imageDisk: plug its image disk in while it runs, and take it out when it says so.",
      },
    ),
    imageDisk: field(
      z
        .strictObject({
          size: field(size(64 * MiB, 64 * TiB), {
            description:
              'How large it is, from 64MiB to 64TiB, in whole blocks of 4KiB; it counts towards limits.storage. What is moved off it makes it smaller for as long as the images are there.',
          }),
        })
        .optional(),
      {
        description:
          'A disk of ext4 that the Primary has besides (`/dev/disk/by-id/virtio-unnest-images`), and that the host takes images from. Without it the disk is deleted, with what is on it.',
      },
    ),
  })
  .refine(({ grants, imageDisk: disk }) => disk === undefined || grants.includes('imageDisk'), {
    message: 'imageDisk among the grants, where there is an image disk',
    path: ['grants'],
  });

const limits = z.strictObject({
  vcpus: field(wholeNumber(1, cpusMax), {
    description: 'Virtual CPUs of the Primary and all running Secondaries together.',
  }),
  memory: field(memory, {
    description:
      'Memory of the Primary and all running Secondaries together, with what their virtual machines need besides, from 16MiB to 16TiB.',
  }),
  storage: field(size(MiB, 1024 * TiB), {
    description: 'Room for Volumes and Images together, from 1MiB to 1024TiB.',
  }),
  secondaries: field(wholeNumber(0, 20_000), { description: 'How many Secondaries.' }),
  networkBandwidthPerSecond: field(networkBandwidth.optional(), {
    description:
      'Bytes per second that all Secondaries together send out of their network, and as many that they are sent, from 1KiB to 16GiB, such as 125MiB. What is more is dropped, whatever `enforcement` says; what they send each other and the host does not count.',
  }),
  diskBandwidthPerSecond: field(diskBandwidth.optional(), {
    description: 'Bytes per second that all disks together read and write.',
  }),
  diskOperationsPerSecond: field(wholeNumber(1, 10_000_000).optional(), {
    description: 'Reads and writes per second of all disks together.',
  }),
  enforcement: field(oneOf(ENFORCEMENTS).default('Cgroup'), {
    description:
      'What holds the partition to its limits. Cgroup: the kernel, whatever the guests do. Admission: only that nothing is started that would exceed them, for hosts without cgroup v2.',
  }),
});

const guarantees = z.strictObject({
  cpuset: field(cpuSet.optional(), {
    description: 'Physical CPUs that nobody else gets, such as 4-7,12.',
  }),
  memory: field(memory.optional(), {
    description: 'Memory that nobody else can press out, from 16MiB to 16TiB.',
  }),
});

/**
 * Flat, unlike NetworkPolicy's `to` and `ports`, which are each multiplied by the other: a line here is
 * one rule of the kernel, and reads back as one. As there: a list says all that is allowed.
 */
const egressEntry = z
  .strictObject({
    cidr: field(destination, { description: 'The addresses, such as 10.0.0.0/8 or 1.1.1.1/32.' }),
    protocol: field(oneOf(EGRESS_PROTOCOLS).optional(), {
      description: 'The only protocol; without it any.',
    }),
    ports: field(listOf(wholeNumber(1, 65_535), 16).min(1, 'at least one port').optional(), {
      description: 'The only ports, of tcp or udp; without them any.',
    }),
  })
  .refine(({ protocol, ports }) => ports === undefined || /^(?:tcp|udp)$/.test(protocol ?? ''), {
    message: 'tcp or udp, where there are ports',
    path: ['protocol'],
  });

const network = z
  .strictObject({
    cidr: field(cidr, {
      description: 'The subnet of the Secondaries, such as 10.20.0.0/24 (/16 to /29).',
    }),
    mode: field(oneOf(NETWORK_MODES).default('nat'), {
      description:
        'How it leaves the host. nat: with the address of the uplink. routed: with its own addresses. isolated: not at all.',
    }),
    uplink: field(interfaceName.optional(), {
      description:
        "The host's interface that it leaves by; by default the one that the Primary's own NIC leaves by when the network is made.",
    }),
    portIsolation: field(z.boolean().default(false), {
      description: 'Whether Secondaries are kept from reaching each other.',
    }),
    egress: field(z.array(egressEntry).max(64, 'at most 64 entries').optional(), {
      description:
        "Where Secondaries may begin connections to outside of their network; without it anywhere, with an empty list nowhere. What they have open to elsewhere is cut off. Answers to whom outside has begun pass. The gateway's DNS counts as outside, since it asks others: it answers if its address is listed.",
    }),
  })
  .refine(({ mode, egress }) => mode !== 'isolated' || egress === undefined, {
    message: 'no egress where mode is isolated',
    path: ['egress'],
  })
  .refine(({ mode, uplink }) => mode !== 'isolated' || uplink === undefined, {
    message: 'no uplink where mode is isolated',
    path: ['uplink'],
  });

const hostForm =
  'the name of a host in lower case, such as images.example.org or mirror.example.org:8443; no address, no pattern';
const imageHost = textOf(IMAGE_HOST_PATTERN, hostForm).refine(
  (text) => parseImageHost(text) !== null,
  hostForm,
);

const imageHostEntry = z.strictObject({
  host: field(imageHost, {
    description: 'Its name, exactly; with a port, only that one, else 443.',
  }),
  privateAddresses: field(z.boolean('true or false').default(false), {
    description:
      'Whether its name may lead to a private address, or to this host itself: for a mirror of yours.',
  }),
});

const policy = z.strictObject({
  images: field(listOf(file, 256).default([]), {
    description: "Files of the host's catalogue that Images may be made of.",
  }),
  imageHosts: field(
    z
      .array(imageHostEntry)
      .max(64, 'at most 64 entries')
      .refine(namesOnce, 'every host only once')
      .default([]),
    {
      description:
        'Hosts that the host fetches Images from by https for the partition; redirects too lead to these only.',
    },
  ),
  devices: field(listOf(oneOf(['rng', 'watchdog', 'vsock', 'tpm', 'gpu', 'pci']), 6).default([]), {
    description: 'Devices that Secondaries may have besides disks, NICs and a serial console.',
  }),
  confidential: field(listOf(oneOf(['sev', 'sev-es', 'sev-snp', 'tdx']), 4).default([]), {
    description: 'Types of confidential computing that Secondaries may use.',
  }),
  features: field(listOf(oneOf(['directKernelBoot', 'nestedVirtualization']), 2).default([]), {
    description: 'Further things that Secondaries may do.',
  }),
});

function namesOnce(list: readonly { readonly host: string }[]): boolean {
  const plain = list.map(({ host }) => JSON.stringify(parseImageHost(host)));
  return new Set(plain).size === plain.length;
}

const spec = z.strictObject({
  source: field(oneOf(['Directory', 'Apply', 'Channel']).default('Apply'), {
    description:
      'Who may say what the partition is to be. Directory: files on the host. Apply: `unnest apply` on the host. Channel: the Primary itself. What another submits is refused.',
  }),
  primary: field(primary.optional(), { description: 'The VM that the partition belongs to.' }),
  limits: field(limits.optional(), {
    description: 'What the partition can have at most. Without them nothing limits it.',
  }),
  guarantees: field(guarantees.optional(), { description: 'What the partition has at least.' }),
  network: field(network.optional(), {
    description: 'The network of the Secondaries; without it they have none.',
  }),
  policy: field(policy.prefault({}), {
    description: 'What documents of the partition may ask for. What is not named is denied.',
  }),
});

function within(amount: number | undefined, most: number | undefined): boolean {
  return amount === undefined || most === undefined || amount <= most;
}

/** Whether there is a slice, which is what is guaranteed something. */
function isHeld(most: z.output<typeof limits> | undefined): boolean {
  return most?.enforcement === 'Cgroup';
}

export const partitionSchema = z
  .strictObject({
    ...headerOf('Partition'),
    metadata: metadataOf(branded<PartitionName>(name), 'The name of the partition.'),
    spec: field(spec, { description: 'What it has, and what it may do.' }),
  })
  .refine(({ spec: { limits: most, primary: vm } }) => within(vm?.reserved.memory, most?.memory), {
    message: 'no more memory reserved than limits.memory',
    path: ['spec', 'primary', 'reserved', 'memory'],
  })
  .refine(({ spec: { limits: most, primary: vm } }) => within(vm?.reserved.vcpus, most?.vcpus), {
    message: 'no more vCPUs reserved than limits.vcpus',
    path: ['spec', 'primary', 'reserved', 'vcpus'],
  })
  .refine(({ spec: { limits: most, guarantees: least } }) => within(least?.memory, most?.memory), {
    message: 'no more memory guaranteed than limits.memory',
    path: ['spec', 'guarantees', 'memory'],
  })
  .refine(({ spec: { limits: most, guarantees: least } }) => least === undefined || isHeld(most), {
    message: 'guarantees only beside limits that the kernel enforces (limits.enforcement: Cgroup)',
    path: ['spec', 'guarantees'],
  })
  .refine(({ spec: { source, primary: vm } }) => source !== 'Channel' || vm !== undefined, {
    message: 'a primary, where source is Channel: only it could say anything',
    path: ['spec', 'source'],
  })
  .meta({ title: 'Partition', description: 'A share of the host, as its operator grants it.' });

export type PartitionDocument = z.output<typeof partitionSchema>;
