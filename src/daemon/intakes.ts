/** What comes in of Images by upload: chunk by chunk, one at a time, into the room that its pass has made. */
import type { Host } from '../host/ports.ts';
import type { PartitionOwner } from '../model/identity.ts';
import { type Intake, isFor, type ObservedIntake } from '../model/intake.ts';
import { inTurn } from './accepted/in-turn.ts';

export class Intakes {
  readonly #host: Host['intakes'];
  readonly #abort: AbortSignal;
  readonly #inTurn = inTurn();

  constructor(host: Host['intakes'], abort: AbortSignal) {
    this.#host = host;
    this.#abort = abort;
  }

  /** Null: there is none of these bytes that is ready, or it cannot be read. */
  async read({ partition }: PartitionOwner, intake: Intake): Promise<ObservedIntake | null> {
    const seen = await this.#host.read(partition, intake.image, this.#abort);
    if (seen.status !== 'present' || seen.value.state !== 'ready') return null;
    return isFor(intake, seen.value) ? seen.value : null;
  }

  /** @returns how much there is then. @throws HostError as the port says */
  append(
    owner: PartitionOwner,
    intake: Intake,
    atByte: number,
    bytes: Uint8Array,
  ): Promise<number> {
    return this.#inTurn(() => this.#host.append(owner, intake, atByte, bytes, this.#abort));
  }
}
