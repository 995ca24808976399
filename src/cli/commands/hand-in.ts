/**
 * `unnest upload` and `unnest hand-over`: the bytes of an Image whose document says that they come from
 * whoever runs this, and what the host finds when it has looked into them.
 */
import { Command } from 'commander';
import type { DaemonClient } from '../../channel/client.ts';
import type { ImageState } from '../../channel/control.ts';
import { DaemonError } from '../../channel/daemon-error.ts';
import { channelLimits } from '../../channel/limits.ts';
import { imageName, type ImageName, type PartitionName } from '../../model/names.ts';
import { formatApproximately } from '../../model/sizes.ts';
import { CommandError, exitCodeOf, remedyOf, usageError } from '../command-error.ts';
import {
  type DaemonOptions,
  partitionOf,
  requireDaemon,
  withDaemonOptions,
  withinLimits,
} from '../daemon.ts';
import type { Environment } from '../environment.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { outcome, saidAgain } from '../handed-in.ts';
import { checkUnmounted, type ImageFile, openImageFile, openLentDisk } from '../image-bytes.ts';
import { lastPassOf } from '../last-pass.ts';
import { MovingLine } from '../moving-line.ts';
import { type Limits, limitsOf } from '../pass.ts';
import { paintFor, printable } from '../render/paint.ts';

interface Options extends DaemonOptions {
  readonly wait: boolean;
  readonly device?: string;
}

/** What both of them work with. */
interface HandingIn {
  readonly client: DaemonClient;
  readonly partition: PartitionName;
  readonly name: ImageName;
  readonly file: ImageFile;
  readonly environment: Environment;
  readonly limits: Limits;
}

const argumentsOf = (command: Command, file: string, environment: Environment) =>
  withDaemonOptions(command, environment)
    .argument('<image>', 'the Image, by the name of its document')
    .argument(file, 'what it is made of')
    .option('--no-wait', 'do not wait until the host has looked into it');

export function uploadCommand(environment: Environment, exit: (code: ExitCode) => void): Command {
  return argumentsOf(new Command('upload'), '<file>', environment)
    .description('upload the bytes of an Image; what was interrupted goes on where it stopped')
    .action(async (image: string, path: string, options: Options) => {
      exit(await handIn('upload', image, path, options, environment, upload));
    });
}

export function handOverCommand(environment: Environment, exit: (code: ExitCode) => void): Command {
  return argumentsOf(new Command('hand-over'), '[file]', environment)
    .description(
      'write an Image to the disk that the host has lent for it, and give the disk back; without a file: say only that it is written, or that the image disk, which it is on, is unmounted',
    )
    .option('--device <path>', 'the disk; by default the one under /dev/disk/by-id')
    .action(async (image: string, path: string | undefined, options: Options) => {
      const write = (state: ImageState, handing: HandingIn) =>
        handOver(state, options.device ?? null, handing);
      exit(await handIn('handOver', image, path, options, environment, write));
    });
}

async function handIn(
  by: 'upload' | 'handOver',
  image: string,
  path: string | undefined,
  options: Options,
  environment: Environment,
  give: (state: ImageState, handing: HandingIn) => Promise<void>,
): Promise<ExitCode> {
  const name = requireImage(image);
  const limits = limitsOf(environment, options.timeout);
  const partition = partitionOf(options);
  const client = await requireDaemon(options, environment);
  const before = await lastPassOf({ client, partition }, limits);
  const asking = client.image(partition, name, limits.stop);
  const state = await withinLimits(limits, 'the Image was asked about', asking);
  if (state.phase === 'Ready') {
    await checkIsThat(path, state);
    environment.stdout.write(`${name} is there already\n`);
    return exitCodes.ok;
  }
  const isOnImageDisk = by === 'handOver' && state.source === 'imageDisk';
  if (state.source !== by && !isOnImageDisk) throw otherWay(state);
  const handing = { client, partition, name, environment, limits };
  if (isOnImageDisk) {
    await letGo(state, path, options.device ?? null);
  } else if (path === undefined) {
    await giveBack(state, options.device ?? null);
  } else {
    const file = await openImageFile(path);
    try {
      checkSize(path, file, state);
      await give(state, { ...handing, file });
    } finally {
      await file.close();
    }
  }
  const isOnDisk = by === 'handOver';
  const earlier = isOnDisk ? await tell(handing) : before;
  if (!options.wait) return exitCodes.ok;
  return outcome({ client, partition, name, isOnDisk }, earlier, environment, limits);
}

function requireImage(text: string): ImageName {
  const name = imageName(text);
  if (name !== undefined) return name;
  throw usageError(`"${text}" is no name of an Image`, 'it is metadata.name of its document');
}

function otherWay({ name, source }: ImageState): CommandError {
  const way = {
    file: "it is made of a file in the partition's store, which the operator puts there",
    catalogue: "it is made of a file of the host's catalogue",
    upload: `it is uploaded: unnest upload ${name} FILE`,
    handOver: `it is handed over on a disk: unnest hand-over ${name} FILE`,
    imageDisk: `it is taken off the image disk: unnest hand-over ${name}`,
    url: 'the host fetches it from the URL in its document',
  };
  return usageError(`the bytes of ${name} come in another way`, way[source]);
}

/** Not said of a file that it cannot be. */
async function checkIsThat(path: string | undefined, state: ImageState): Promise<void> {
  if (path === undefined) return;
  // Nobody has to keep what was handed in.
  const file = await openImageFile(path).catch(() => null);
  if (file === null) return;
  try {
    checkSize(path, file, state);
  } finally {
    await file.close();
  }
}

/** Before any of it is sent: the host would refuse it anyway, later. */
function checkSize(path: string, { sizeBytes }: ImageFile, state: ImageState): void {
  if (state.sizeBytes === null || sizeBytes === state.sizeBytes) return;
  const remedy = `is it the right file? Else correct \`bytes\` and \`digest\` in the document`;
  throw usageError(
    `${path} has ${sizeBytes} bytes, and the document of ${state.name} says ${state.sizeBytes}`,
    remedy,
  );
}

async function upload(state: ImageState, handing: HandingIn): Promise<void> {
  const { client, partition, name, file, limits } = handing;
  if (state.receivedBytes === null) throw notYet(state);
  const isAllThere = state.receivedBytes === file.sizeBytes;
  if (isAllThere && state.phase === 'Importing') {
    handing.environment.stdout.write(`all bytes of ${name} are there already: none were sent\n`);
    return;
  }
  // What is all there and is not being looked into may be another file's of the same size.
  const begun = isAllThere ? 0 : state.receivedBytes;
  await piecewise(begun, handing, (piece, atByte) =>
    withinLimits(
      limits,
      `${name} was uploaded`,
      client.upload(partition, name, atByte, piece, limits.stop),
    ),
  );
}

async function handOver(
  state: ImageState,
  device: string | null,
  handing: HandingIn,
): Promise<void> {
  const disk = await openLentDisk(lentPath(state, device));
  try {
    await piecewise(0, handing, (piece, atByte) => disk.write(piece, atByte));
    await disk.sync();
  } finally {
    await disk.close();
  }
}

/** What is written to its disk, by whomever: what that has left in this machine's memory is on it then. */
async function giveBack(state: ImageState, device: string | null): Promise<void> {
  const disk = await openLentDisk(lentPath(state, device));
  try {
    await disk.sync();
  } finally {
    await disk.close();
  }
}

/** @param device that was named in its place */
function lentPath(state: ImageState, device: string | null): string {
  if (device !== null) return device;
  if (state.serial === null) throw notYet(state);
  return `/dev/disk/by-id/virtio-${state.serial}`;
}

/** Of what is on the image disk: whoever has it mounted has not let go of it. */
async function letGo(
  state: ImageState,
  path: string | undefined,
  device: string | null,
): Promise<void> {
  const { name } = state;
  if (path !== undefined) {
    const remedy = `put it there, unmount that disk, and say: unnest hand-over ${name}`;
    throw usageError(`${name} is taken off the image disk, where its document says`, remedy);
  }
  await checkUnmounted(lentPath(state, device));
}

/** @returns when the last pass before that has ended: writing may have taken as long as many of them */
async function tell(handing: Omit<HandingIn, 'file'>): Promise<string | null> {
  const { client, partition, name, environment, limits } = handing;
  try {
    const before = await lastPassOf(handing, limits);
    const telling = client.imageWritten(partition, name, limits.stop);
    const message = await withinLimits(limits, `unnestd was told about ${name}`, telling);
    environment.stdout.write(`${printable(message)}\n`);
    return before;
  } catch (error) {
    throw untold(name, error);
  }
}

/** What is on the disk stays there, and may have taken long to write. */
function untold(name: ImageName, error: unknown): unknown {
  const exit = exitCodeOf(error);
  // What is to be written to is another disk, and not there yet.
  if (error instanceof DaemonError && error.code === 'AwaitingBytes') return error;
  // Said again it would be as wrong.
  if (!(error instanceof Error) || exit === exitCodes.usage || exit === exitCodes.bug) return error;
  const remedy = remedyOf(error);
  const again = saidAgain(name);
  return new CommandError(exit, error.message, {
    cause: error.cause,
    remedy: remedy === null ? again : `${remedy}; then ${again}`,
  });
}

function notYet({ name, message }: Pick<ImageState, 'name' | 'message'>): CommandError {
  return new CommandError(exitCodes.partial, `there is no room for ${name} yet`, {
    remedy: message === '' ? 'try again in a moment' : message,
  });
}

/** From there to the end of the file, with a line that says how far it is. */
async function piecewise(
  from: number,
  { name, file, environment, limits }: HandingIn,
  give: (piece: Uint8Array, atByte: number) => Promise<unknown>,
): Promise<void> {
  const { stderr, variables } = environment;
  let done = from;
  const line = new MovingLine(
    stderr,
    paintFor(stderr, variables),
    () => `${name}: ${formatApproximately(done)} of ${formatApproximately(file.sizeBytes)}`,
  );
  try {
    while (done < file.sizeBytes) {
      limits.stop.throwIfAborted();
      const piece = await file.read(done, channelLimits.uploadBytesMax);
      if (piece.length === 0) throw usageError('the file has become shorter', 'try again');
      await give(piece, done);
      done += piece.length;
    }
  } finally {
    line.end();
  }
}
