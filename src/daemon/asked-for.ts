/**
 * Power requests, and which of them are done. One that is done and could not be taken off the disk
 * is remembered here, so that it is not done again.
 */
import type { SecondaryName } from '../model/names.ts';
import type { Wishes } from './accepted/wishes.ts';
import type { Request } from './turn-input.ts';

export class AskedFor {
  readonly #wishes: Wishes;
  readonly #done = new Map<string, Request>();

  constructor(wishes: Wishes) {
    this.#wishes = wishes;
  }

  requests(): ReadonlyMap<SecondaryName, Request> {
    const left = this.#wishes.requests.filter((each) => !this.#done.has(keyOf(each)));
    return new Map(left.map((each) => [each.secondary, each]));
  }

  async fulfil(requests: readonly Request[]): Promise<void> {
    for (const request of requests) this.#done.set(keyOf(request), request);
    for (const [key, request] of this.#done) {
      const { status } = await this.#wishes.removeRequest(request);
      if (status === 'ok') this.#done.delete(key);
    }
  }

  drop(isForbidden: (request: Request) => boolean): Promise<void> {
    return this.fulfil(this.#wishes.requests.filter(isForbidden));
  }
}

function keyOf({ secondary, action, runId, at }: Request): string {
  return JSON.stringify([secondary, action, runId, at]);
}
