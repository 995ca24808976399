/** The documents of kinds Volume and Image, judged beside each other. */
import { allowedHost, type ImageHost, parseImageHost, parseImageUrl } from '../model/image-url.ts';
import type { FileName, ImageName, VolumeName } from '../model/names.ts';
import {
  type Image,
  type ImageSource,
  isDiskFormat,
  type Provision,
  type Volume,
  type VolumeOrigin,
} from '../model/volume.ts';
import { isKind } from './collect.ts';
import { copyProblems } from './volume-copies.ts';
import type { Diagnostic } from './diagnostic.ts';
import type { ImageDocument } from './image-schema.ts';
import type { Placed } from './placed.ts';
import { dangling } from './references.ts';
import type { VolumeDocument } from './volume-schema.ts';

export interface Stored {
  readonly volumes: ReadonlyMap<VolumeName, Volume>;
  readonly images: ReadonlyMap<ImageName, Image>;
  readonly imageHosts: readonly ImageHost[];
  readonly diagnostics: readonly Diagnostic[];
}

/** @param mayExist whether a name that no valid document has may be that of one with mistakes */
export function storedIn(placed: readonly Placed[], mayExist: (name: string) => boolean): Stored {
  const described = new Map(
    placed.filter(isKind('Image')).map(({ document }) => [document.metadata.name, document]),
  );
  const volumes = new Map<VolumeName, Volume>();
  const placedVolumes = placed.filter(isKind('Volume'));
  const diagnostics: Diagnostic[] = [...copyProblems(placedVolumes)];
  for (const each of placedVolumes) {
    diagnostics.push(...volumeProblems(each, described, mayExist, diagnostics.length));
    const volume = volumeOf(each.document, described);
    volumes.set(volume.name, volume);
  }
  const images = new Map([...described.values()].map((image) => imageOf(image, allowedIn(placed))));
  return { volumes, images, imageHosts: imageHostsIn(placed) ?? [], diagnostics };
}

/** By name. What a Volume of one has to know of it, its document says, wherever its bytes are. */
type Described = ReadonlyMap<ImageName, ImageDocument>;

interface Allowed {
  readonly file: (file: FileName) => boolean;
  readonly url: (url: string) => boolean;
}

/** Where no document describes the partition, whoever applies its documents is the operator. */
function allowedIn(placed: readonly Placed[]): Allowed {
  const [partition] = placed.filter(isKind('Partition'));
  const hosts = imageHostsIn(placed);
  if (partition === undefined || hosts === null) return { file: () => true, url: () => true };
  const { images } = partition.document.spec.policy;
  return {
    file: (file) => images.includes(file),
    url: (text) => {
      const url = parseImageUrl(text);
      return url !== null && allowedHost(url, hosts) !== null;
    },
  };
}

/** Null: no document describes the partition. */
function imageHostsIn(placed: readonly Placed[]): readonly ImageHost[] | null {
  const [partition] = placed.filter(isKind('Partition'));
  if (partition === undefined) return null;
  const { imageHosts } = partition.document.spec.policy;
  return Object.freeze(
    imageHosts.flatMap(({ host, privateAddresses }) => {
      const parsed = parseImageHost(host);
      return parsed === null ? [] : [Object.freeze({ ...parsed, privateAddresses })];
    }),
  );
}

function imageOf({ metadata, spec }: ImageDocument, allowed: Allowed): readonly [ImageName, Image] {
  const source = imageSourceOf(spec.source, allowed);
  const image = Object.freeze({
    name: metadata.name,
    digest: spec.digest,
    format: spec.format,
    source: Object.freeze(source),
    virtualBytesMax: spec.virtualSize ?? null,
  });
  return [image.name, image];
}

function imageSourceOf(source: ImageDocument['spec']['source'], allowed: Allowed): ImageSource {
  const { file, catalogue, upload, handOver, url, imageDisk } = source;
  if (file !== undefined) return { kind: 'file', file };
  if (catalogue !== undefined) {
    return { kind: 'catalogue', file: catalogue, isAllowed: allowed.file(catalogue) };
  }
  if (upload !== undefined) return { kind: 'upload', sizeBytes: upload.bytes };
  if (url !== undefined) {
    const { from, bytes: sizeBytes } = url;
    return { kind: 'url', url: from, sizeBytes, isAllowed: allowed.url(from) };
  }
  if (handOver !== undefined) {
    return { kind: 'handOver', sizeBytes: handOver.bytes, isWritten: handOver.written };
  }
  // The schema lets exactly one of them through.
  if (imageDisk === undefined) throw new Error('an Image without a source has passed its schema');
  const { path, bytes: sizeBytes, mode: taking, written: isWritten } = imageDisk;
  return { kind: 'imageDisk', sizeBytes, path, taking, isWritten };
}

function volumeOf({ metadata, spec }: VolumeDocument, images: Described): Volume {
  const image = spec.image === undefined ? undefined : images.get(spec.image);
  return Object.freeze({
    name: metadata.name,
    sizeBytes: spec.size,
    format: spec.format,
    origin: image === undefined ? null : originOf(image, spec.provision),
    copyOf: spec.copyOf ?? null,
    deletionPolicy: spec.deletionPolicy,
  });
}

/** Null: it is no disk, which is a mistake. */
function originOf({ metadata, spec }: ImageDocument, provision: Provision): VolumeOrigin | null {
  const { digest, format } = spec;
  if (!isDiskFormat(format)) return null;
  return Object.freeze({ image: metadata.name, digest, format, provision });
}

function volumeProblems(
  { document: { spec }, source }: Placed<VolumeDocument>,
  images: Described,
  mayExist: (name: string) => boolean,
  mistakes: number,
): Diagnostic[] {
  const complain = (path: string, message: string, remedy: string | null) =>
    source.complain('InvalidValue', ['spec', path], message, { remedy });
  if (spec.image === undefined) {
    if (spec.provision === 'Copy') return [];
    return [complain('provision', 'an overlay lies on an Image, and none is named', null)];
  }
  const image = images.get(spec.image);
  if (image === undefined) {
    if (mayExist(spec.image)) return [];
    const words = dangling('Image', spec.image, images, mistakes);
    return [source.complain('UnknownReference', ['spec', 'image'], ...words)];
  }
  if (!isDiskFormat(image.spec.format)) {
    const message = `Image "${spec.image}" is of format ${image.spec.format}: expected a disk, raw or qcow2`;
    return [complain('image', message, 'a Secondary boots it directly (spec.boot.kernel)')];
  }
  if (spec.provision === 'Overlay' && spec.format !== 'qcow2') {
    return [complain('format', 'only a qcow2 can lie on an Image', 'say format: qcow2')];
  }
  const { format } = image.spec;
  if (spec.provision === 'Copy' && spec.format !== format) {
    const message = `Image "${spec.image}" is ${format}, and a copy has the same format`;
    return [complain('format', message, `say format: ${format}`)];
  }
  return [];
}
