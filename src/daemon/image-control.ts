/** What a Primary hands in of Images: how far that is, what comes by upload, and its word about a disk. */
import type { Answer, Control, ImageState, UploadAnswer } from '../channel/control.ts';
import { channelLimits } from '../channel/limits.ts';
import { explainError, HostError } from '../host/host-error.ts';
import type { PartitionOwner } from '../model/identity.ts';
import { intakeOf, lentDisk, lentImageDisk, type ObservedIntake } from '../model/intake.ts';
import type { ImageName, PartitionName } from '../model/names.ts';
import type { Resource } from '../model/resource.ts';
import type { Image } from '../model/volume.ts';
import { instantOf } from '../report/instant.ts';
import type { PartitionStatus, ResourceReport } from '../report/partition-status.ts';
import { answered, type Asked, asking } from './asking.ts';
import type { WrittenImage } from './accepted/wish-schema.ts';
import { blockIn, isAbout, isOnDisk, withWritten } from './handed-over.ts';
import { closedRefusal } from './refusals.ts';
import type { Clock, Timers } from './runtime.ts';
import type { Supervisor } from './supervisor.ts';
import type { TurnInput } from './turn-input.ts';

type ImageControl = Pick<Control, 'image' | 'upload' | 'imageWritten'>;

interface ImageControlOptions {
  readonly supervisor: Supervisor;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Ends looking at the host. */
  readonly stop: AbortSignal;
}

export function imageControl({
  supervisor,
  clock,
  timers,
  stop,
}: ImageControlOptions): ImageControl {
  const of = (name: PartitionName) => supervisor.partition(name);
  return {
    image: (name, image) =>
      asking(of(name), async (asked) => {
        const wanted = wantedImage(asked, image);
        if (wanted === null) return noImage(image);
        return { status: 'ok', image: await stateOf(wanted, asked) };
      }),
    upload: (name, image, atByte, bytes) =>
      asking(of(name), async (asked) => {
        const wanted = wantedImage(asked, image);
        if (wanted === null) return noImage(image);
        return upload(wanted, atByte, bytes, asked);
      }),
    imageWritten: (name, image, submitter, over) =>
      asking(of(name), async (asked) => {
        const late = new AbortController();
        const stopWait = timers.after(channelLimits.wordMs, () => late.abort());
        const word = { image, submitter, at: instantOf(clock.wall()) };
        try {
          return await written(word, asked, { stop, over, late: late.signal });
        } finally {
          stopWait();
        }
      }),
  };
}

/** What ends trying a word: unnestd does, whoever has asked is gone, or it has taken too long. */
interface Ends {
  readonly stop: AbortSignal;
  readonly over: AbortSignal;
  readonly late: AbortSignal;
}

async function written(
  word: Pick<WrittenImage, 'image' | 'submitter' | 'at'>,
  asked: Asked,
  ends: Ends,
): Promise<Answer> {
  const { image } = word;
  const { kept, authority, loop } = asked;
  const wanted = wantedImage(asked, image);
  if (wanted === null) return noImage(image);
  const { source, digest } = wanted;
  if (!isOnDisk(source)) return refused('NotHandedOver', `${image} is not handed over on a disk`);
  // What is said before there is a disk would be said of nothing.
  if ((await intakeFor(wanted, loop)) === null) {
    return refused('AwaitingBytes', `there is no disk for ${image} yet`);
  }
  const isLent = source.kind === 'handOver';
  const said = { ...word, digest, sizeBytes: source.sizeBytes };
  const ofImage = { kind: 'image', name: image } as const;
  const tried = isLent ? [ofImage] : [ofImage, { kind: 'image-disk', name: kept.name } as const];
  const refusal = await refusalOf(said, tried, asked, ends);
  if (refusal !== null) return refusal;
  const forgiven = tried.map((what) => loop.forgive(what));
  if (forgiven.includes(true)) loop.restate();
  const answer = await authority.wish((wishes) => wishes.addWritten(said));
  const disk = isLent ? `the disk of ${image}` : 'the image disk';
  return answered(answer, `${disk} is taken back, and looked into`);
}

/**
 * Why a word would not be acted on at once; null: it would. One that had to wait would take the disk at a time at which
 * nobody expects it; so would one of somebody who was told that it failed, or has left.
 */
async function refusalOf(
  said: WrittenImage,
  tried: readonly Resource[],
  asked: Asked,
  { stop, over, late }: Ends,
): Promise<Extract<Answer, { readonly status: 'refused' }> | null> {
  const { image } = said;
  const input = asked.authority.input();
  if (input.desired === null) return noImage(image);
  const images = withWritten(input.desired.images, [said]);
  const ifSaid = { ...input, desired: { ...input.desired, images } };
  const ends = AbortSignal.any([stop, over, late]);
  const plan = await asked.loop.planFor(ifSaid, ends, tried);
  if (stop.aborted) return closedRefusal;
  if (plan === null) return notInTime(over.aborted);
  if (!isAbout(said, wantedImage(asked, image))) {
    return refused('NoSuchImage', `the documents in force ask for other bytes of ${image} by now`);
  }
  const block = blockIn(plan.entries, image);
  if (block === null) return null;
  const why = `${image} is blocked: ${block.code}: ${block.message}`;
  return refused('ImageBlocked', `${why}; its disk stays where it is, so say so again after that`);
}

function notInTime(isGone: boolean) {
  const why = isGone
    ? 'nobody waits for the answer any more'
    : `the host could not be looked at within ${channelLimits.wordMs / 1000} s`;
  return refused('NotInTime', `${why}; nothing was taken down, and the disk stays where it is`);
}

function wantedImage({ authority }: Asked, image: ImageName): Image | null {
  return authority.input().desired?.images.get(image) ?? null;
}

function noImage(image: ImageName) {
  return refused('NoSuchImage', `the documents in force have no Image ${image}`);
}

function refused(code: string, message: string) {
  return { status: 'refused', code, message } as const;
}

async function stateOf(image: Image, { authority, loop }: Asked): Promise<ImageState> {
  const { name, source } = image;
  const report = reportOf(name, loop.status, authority.input());
  const { owner } = loop;
  const intake = await intakeFor(image, loop);
  const comesIn = 'sizeBytes' in source;
  return {
    name,
    phase: report?.phase ?? 'Pending',
    message: report?.message ?? '',
    source: source.kind,
    sizeBytes: comesIn ? source.sizeBytes : null,
    receivedBytes: comesIn && !isOnDisk(source) ? (intake?.receivedBytes ?? null) : null,
    // Not that of a disk that is there for other bytes still.
    serial: owner !== null && hasDisk(source, intake) ? serialOf(owner, name, source) : null,
    handedOver: isOnDisk(source) ? authority.isHandedOver(image) : null,
  };
}

/** Null: there is no room for its bytes yet, though there may be for those that its documents asked for before. */
async function intakeFor(
  image: Image,
  { owner, intakes }: Asked['loop'],
): Promise<ObservedIntake | null> {
  const intake = intakeOf(image);
  return owner === null || intake === null ? null : intakes.read(owner, intake);
}

/** Null: what was looked at last was not what the documents in force ask for. */
function reportOf(
  name: ImageName,
  { resources, observedGeneration }: PartitionStatus,
  { generation }: TurnInput,
): ResourceReport | null {
  if (observedGeneration < generation) return null;
  return resources.find((each) => each.kind === 'image' && each.name === name) ?? null;
}

/** The image disk is there for all that comes by it. */
function hasDisk({ kind }: Image['source'], intake: ObservedIntake | null): boolean {
  return kind === 'imageDisk' || (kind === 'handOver' && intake !== null);
}

function serialOf(owner: PartitionOwner, name: ImageName, { kind }: Image['source']): string {
  return (kind === 'imageDisk' ? lentImageDisk(owner) : lentDisk(owner, name)).serial;
}

async function upload(
  image: Image,
  atByte: number,
  bytes: Uint8Array,
  { loop }: Asked,
): Promise<UploadAnswer> {
  const { name, source } = image;
  const { owner } = loop;
  const intake = intakeOf(image);
  if (source.kind !== 'upload' || intake === null) {
    return refused('NotUploaded', `${name} is not uploaded`);
  }
  if (owner === null || (await loop.intakes.read(owner, intake)) === null) {
    return refused('AwaitingBytes', `there is no room for ${name} yet`);
  }
  try {
    const receivedBytes = await loop.intakes.append(owner, intake, atByte, bytes);
    if (receivedBytes === source.sizeBytes) {
      // Other bytes may be the right ones.
      // Else whoever waits for what is found in these would be told what was found in those before.
      if (loop.forgive({ kind: 'image', name })) loop.restate();
      loop.wake('request');
    }
    return { status: 'ok', receivedBytes, sizeBytes: source.sizeBytes };
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return refused('NotTaken', explainError(error));
  }
}
