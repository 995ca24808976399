/** What comes in of Images by upload: chunk by chunk, one at a time, into the room that its pass has made. */
import type { Host } from '../host/ports.ts';
import type { PartitionOwner } from '../model/identity.ts';
import type { ObservedIntake } from '../model/intake.ts';
import type { ImageName } from '../model/names.ts';
import { inTurn } from './accepted/in-turn.ts';

export class Intakes {
  readonly #host: Host['intakes'];
  readonly #abort: AbortSignal;
  readonly #inTurn = inTurn();

  constructor(host: Host['intakes'], abort: AbortSignal) {
    this.#host = host;
    this.#abort = abort;
  }

  /** Null: there is none that is ready, or it cannot be read. */
  async read({ partition }: PartitionOwner, image: ImageName): Promise<ObservedIntake | null> {
    const seen = await this.#host.read(partition, image, this.#abort);
    return seen.status === 'present' && seen.value.state === 'ready' ? seen.value : null;
  }

  /** @returns how much there is then. @throws HostError as the port says */
  append(
    owner: PartitionOwner,
    image: ImageName,
    atByte: number,
    bytes: Uint8Array,
  ): Promise<number> {
    return this.#inTurn(() => this.#host.append(owner, image, atByte, bytes, this.#abort));
  }
}
