/**
 * Words of Primaries about their disks that count no more, since what blocks their Images is for somebody to end.
 * One that could not be taken off the disk yet counts no more either, and is tried again with the next look.
 */
import type { Block } from '../diff/change.ts';
import type { ImageName } from '../model/names.ts';
import type { WrittenImage } from './accepted/wish-schema.ts';
import type { Wishes } from './accepted/wishes.ts';

export interface DroppedWordsOptions {
  readonly wishes: Wishes;
  /** Once for each, when a crash would not bring it back any more. */
  readonly onDropped: (image: ImageName, block: Block) => void;
}

interface Dropped {
  readonly said: WrittenImage;
  readonly block: Block;
}

export class DroppedWords {
  readonly #options: DroppedWordsOptions;
  /** Still on the disk. */
  readonly #left = new Map<string, Dropped>();
  #removing: Promise<void> | null = null;

  constructor(options: DroppedWordsOptions) {
    this.#options = options;
  }

  /** Those that count. */
  get counting(): readonly WrittenImage[] {
    return this.#options.wishes.written.filter((said) => !this.#left.has(keyOf(said)));
  }

  /** From now on these count no more. @returns whether one of them did */
  drop(blocks: ReadonlyMap<ImageName, Block>): boolean {
    const before = this.#left.size;
    for (const said of this.counting) {
      const block = blocks.get(said.image);
      if (block !== undefined) this.#left.set(keyOf(said), { said, block });
    }
    return this.#left.size > before;
  }

  /** Resolves when all that can be taken off the disk now is. */
  remove(): Promise<void> {
    // Whoever comes meanwhile has nothing told twice.
    this.#removing ??= this.#removeLeft().finally(() => (this.#removing = null));
    return this.#removing;
  }

  async #removeLeft(): Promise<void> {
    const { wishes, onDropped } = this.#options;
    for (const [key, { said, block }] of this.#left) {
      const { status } = await wishes.removeWritten(said);
      if (status !== 'ok') continue;
      this.#left.delete(key);
      onDropped(said.image, block);
    }
  }
}

function keyOf({ image, at }: WrittenImage): string {
  return `${image} ${at}`;
}
