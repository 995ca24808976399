/** Bytes that come in of an Image, for whatever its intake is there for. */
import type { IntakeReader, IntakeWriter } from '../../src/host/ports.ts';
import type { PartitionOwner } from '../../src/model/identity.ts';
import type { ImageName } from '../../src/model/names.ts';

/** @returns how many there are then */
export async function comeIn(
  intakes: IntakeReader & IntakeWriter,
  owner: PartitionOwner,
  image: ImageName,
  atByte: number,
  bytes: Uint8Array,
): Promise<number> {
  const { signal } = new AbortController();
  const seen = await intakes.read(owner.partition, image, signal);
  if (seen.status !== 'present') throw new Error(`the intake of ${image} is ${seen.status}`);
  const { kind, digest, sizeBytes } = seen.value;
  return intakes.append(owner, { image, kind, digest, sizeBytes }, atByte, bytes, signal);
}
