/**
 * What is known of the bytes that have come in, by intake: as what they were seen to be good, and whether nothing may begin
 * anew in their place now, since they are looked into or others are given up for them. It is known to this process alone,
 * which is the only one that takes bytes in, and to no other after its end: then they are looked into again before anything
 * is given up for them, and where it already was, an upload may begin anew before they are used.
 */
import type { DeclaredImage } from './image-import.ts';

interface Bytes {
  isHeld: boolean;
  /** Null: nobody has seen that they are any. */
  goodAs: DeclaredImage | null;
}

const known = new Map<string, Bytes>();

/** @param folder of the intake, whose bytes are sealed */
export function holdIntake(folder: string): void {
  bytesIn(folder).isHeld = true;
}

export function letGoOfIntake(folder: string): void {
  const bytes = known.get(folder);
  if (bytes !== undefined) bytes.isHeld = false;
}

/** Others come, or may have. */
export function forgetIntake(folder: string): void {
  known.delete(folder);
}

export function isIntakeHeld(folder: string): boolean {
  return known.get(folder)?.isHeld ?? false;
}

/** Looks into the same bytes for the same only once. @param look rejects if they are not so */
export async function seeGood(
  folder: string,
  { digest, format, virtualBytesMax }: DeclaredImage,
  look: () => Promise<void>,
): Promise<void> {
  const bytes = bytesIn(folder);
  const { goodAs } = bytes;
  const isSeen =
    goodAs?.digest === digest &&
    goodAs.format === format &&
    goodAs.virtualBytesMax === virtualBytesMax;
  if (isSeen) return;
  await look();
  // If others have come meanwhile, nobody asks these any more.
  bytes.goodAs = { digest, format, virtualBytesMax };
}

function bytesIn(folder: string): Bytes {
  const bytes = known.get(folder) ?? { isHeld: false, goodAs: null };
  known.set(folder, bytes);
  return bytes;
}
