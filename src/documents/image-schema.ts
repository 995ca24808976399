/** A document of kind Image: bytes that Volumes begin as, or that guests are booted with, known by their digest. */
import * as z from 'zod';
import { IMAGE_URL_PATTERN, parseImageUrl } from '../model/image-url.ts';
import type { ImageName } from '../model/names.ts';
import { IMAGE_DISK_PATH } from '../model/image-disk.ts';
import { BOOT_BYTES_MAX, IMAGE_FORMATS, isDiskFormat, TAKINGS } from '../model/volume.ts';
import {
  branded,
  field,
  file,
  headerOf,
  metadataOf,
  name,
  oneOf,
  size,
  textOf,
  wholeNumber,
} from './schema-parts.ts';

const digest = textOf(/^sha256:[0-9a-f]{64}$/, 'sha256: and 64 hexadecimal digits in lower case');

/** In bytes, since a file need not be a multiple of anything. */
const bytesMax = 64 * 2 ** 40;
const bytes = wholeNumber(1, bytesMax);

const pathWords =
  'the path of a file, from the root and without a slash before it (letters, digits, . _ + - and no hidden names)';

const upload = z.strictObject({
  bytes: field(bytes, { description: 'How many bytes it has, as it is supplied.' }),
});

const handOver = z.strictObject({
  bytes: field(bytes, {
    description:
      'How many bytes it has, as it is supplied: as large a disk is lent to the Primary for them.',
  }),
  written: field(z.boolean().default(false), {
    description:
      'Whether the Primary has written all of them. Then the disk is taken from it and becomes the image. `unnest hand-over` says the same without the document.',
  }),
});

const imageDisk = z.strictObject({
  path: field(textOf(IMAGE_DISK_PATH, pathWords), {
    description: 'Where it is on the image disk, from its root, such as images/debian.qcow2.',
  }),
  bytes: field(bytes, { description: 'How many bytes that file has.' }),
  mode: field(oneOf(TAKINGS).default('copy'), {
    description:
      'What becomes of the file. copy: it stays, and the disk as it is. move: it goes, and the disk is smaller by as much for as long as there is this image, so that both together take what the disk alone took.',
  }),
  written: field(z.boolean().default(false), {
    description:
      'Whether the Primary has written the file and has unmounted the image disk. Then the disk is taken from it for as long as it takes to get the file off it. `unnest hand-over` says the same without the document.',
  }),
});

const urlForm =
  'a URL such as https://images.example.org/debian.qcow2: https, the name of a host in lower case, a path, and no user, password or fragment';
const imageUrl = textOf(IMAGE_URL_PATTERN, urlForm).refine(
  (text) => parseImageUrl(text) !== null,
  urlForm,
);

const url = z.strictObject({
  from: field(imageUrl, {
    description:
      "The URL. The partition's policy has to allow its host (policy.imageHosts). It is no secret: plans and statuses show it.",
  }),
  bytes: field(bytes, {
    description: 'How many bytes it has, as it is supplied. No more of them are taken.',
  }),
});

const sources = ['file', 'catalogue', 'upload', 'handOver', 'url', 'imageDisk'] as const;
const exactlyOne = `exactly one of ${sources.slice(0, -1).join(', ')} and ${sources.at(-1)}`;

const source = z
  .strictObject({
    file: field(file.optional(), {
      description: "The name of a file that the operator has put into the partition's store.",
    }),
    catalogue: field(file.optional(), {
      description:
        "The name of a file in the host's catalogue, which the partition's policy has to allow.",
    }),
    upload: field(upload.optional(), {
      description: 'The Primary uploads it: `unnest upload`.',
    }),
    handOver: field(handOver.optional(), {
      description:
        'The Primary writes it to a blank disk that it is lent for that, which then becomes the image.',
    }),
    url: field(url.optional(), {
      description: 'The host fetches it, from where the operator allows it.',
    }),
    imageDisk: field(imageDisk.optional(), {
      description: 'The Primary puts it on its image disk, from which the host takes it.',
    }),
  })
  .refine((given) => sources.filter((each) => given[each] !== undefined).length === 1, exactlyOne);

const spec = z.strictObject({
  digest: field(digest, {
    description:
      'What its bytes are: sha256: and 64 hexadecimal digits. Nothing else is ever used.',
  }),
  format: field(oneOf(IMAGE_FORMATS), {
    description:
      'How its bytes are to be read. Always said, never guessed. raw and qcow2 are disks, which Volumes begin as. bzImage is a Linux kernel for x86 (boot protocol 2.12 or later, at most 48MiB) and initrd an initial RAM disk: spec.boot.kernel of a Secondary names them.',
  }),
  virtualSize: field(size(2 ** 10, 64 * 2 ** 40).optional(), {
    description:
      'How large a disk it is at most, from 1KiB to 64TiB. An image that says more is refused. A qcow2 that a Primary supplies, or that is fetched, has to say it, and what is no disk does not.',
  }),
  source: field(
    source,
    { description: `Where the bytes come from: ${exactlyOne}.` },
    { minProperties: 1, maxProperties: 1 },
  ),
});

const comesIn = ({
  upload: up,
  handOver: over,
  imageDisk: disk,
  url: from,
}: z.output<typeof source>) => [up, over, disk, from].some((each) => each !== undefined);

export const imageSchema = z
  .strictObject({
    ...headerOf('Image'),
    metadata: metadataOf(
      branded<ImageName>(name),
      'The name, unique among the Images of the partition.',
    ),
    spec: field(spec, { description: 'What it is.' }),
  })
  .refine(
    ({ spec: { format, source: from, virtualSize } }) =>
      format !== 'qcow2' || virtualSize !== undefined || !comesIn(from),
    {
      message: 'the size of the disk, as it counts towards the limits from the start',
      path: ['spec', 'virtualSize'],
    },
  )
  .refine(
    ({ spec: { format, virtualSize } }) => isDiskFormat(format) || virtualSize === undefined,
    {
      message: 'nothing, as it is no disk',
      path: ['spec', 'virtualSize'],
    },
  )
  .superRefine(({ spec: { format, source: from } }, context) => {
    if (isDiskFormat(format)) return;
    for (const by of ['upload', 'handOver', 'imageDisk', 'url'] as const) {
      if ((from[by]?.bytes ?? 0) <= BOOT_BYTES_MAX[format]) continue;
      const message = `at most ${BOOT_BYTES_MAX[format]} bytes for format ${format}`;
      context.addIssue({ code: 'custom', message, path: ['spec', 'source', by, 'bytes'] });
    }
  })
  .meta({
    title: 'Image',
    description:
      'A disk image, a kernel or an initial RAM disk that is named and known by its digest.',
  });

export type ImageDocument = z.output<typeof imageSchema>;
