/**
 * Orders that come again, since whoever gave them has heard no answer: with the same key they are answered, and
 * not carried out, again. What was done is known from the disk, what is being done from here; a refusal
 * has done nothing, and is judged anew.
 */
import type { Answer, OrderKey } from '../channel/control.ts';
import type { PartitionName } from '../model/names.ts';
import type { AnsweredOrder } from './accepted/wish-schema.ts';

export interface KeyedOrder {
  readonly partition: PartitionName;
  /** Null: it has none, and is done whenever it comes. */
  readonly key: OrderKey | null;
  /** What is asked for: the same key with another is a mistake of whoever asks. */
  readonly request: string;
}

interface UnderWay {
  readonly request: string;
  readonly answer: Promise<Answer>;
}

export class OnceOnly {
  readonly #underWay = new Map<string, UnderWay>();

  /** @param answered of the partition, as far as it is kept */
  give(
    { partition, key, request }: KeyedOrder,
    answered: readonly AnsweredOrder[],
    act: () => Promise<Answer>,
  ): Promise<Answer> {
    if (key === null) return act();
    const before = answered.find((each) => each.key === key.key && each.party === key.party);
    if (before !== undefined) {
      return Promise.resolve(
        before.request === request
          ? { status: 'ok', message: before.message }
          : reused(before.request),
      );
    }
    const id = JSON.stringify([partition, key.party, key.key]);
    const known = this.#underWay.get(id);
    if (known !== undefined) {
      return known.request === request ? known.answer : Promise.resolve(reused(known.request));
    }
    const answer = act().finally(() => this.#underWay.delete(id));
    this.#underWay.set(id, { request, answer });
    return answer;
  }
}

function reused(request: string): Answer {
  const message = `this idempotency key was that of another order (${request}): each needs one of its own`;
  return { status: 'refused', code: 'KeyReused', message };
}
