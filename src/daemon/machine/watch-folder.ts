/**
 * Watches a folder by its path: what is below it, and every name that leads to it. When the path
 * leads to another folder, that one is watched before the sign is given, so that whoever reads
 * after a sign misses nothing. Signs that come while it is being armed are given too.
 *
 * A folder in the place of another is `swapped` only where it is sure to have come whole: by a link
 * that leads elsewhere, or because it was there, and complete, before the old one left. One that
 * may just have been made is `changed`.
 */
import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { FileError, type FileSign, type FileWatch, type NameSign } from '../runtime.ts';
import { fileError } from './file-error.ts';
import { type Place, placeOf } from './follow-links.ts';
import { machineTimers } from './time.ts';
import { watchPlace } from './watch-place.ts';

/** Between the two renames that put one folder in the place of another. */
const graceMs = 100;
const lookAgainMs = 10;
/** How often the path may lead elsewhere while it is being armed. */
const armingsMax = 10;
/** Before the second time; doubled each time, so that all take some 5 s. */
const armAgainMs = 10;

interface Armed {
  readonly place: Place;
  /** Kept open: it tells when the folder left, after it has. */
  readonly handle: FileHandle;
  readonly stop: () => Promise<void>;
}

export async function watchFolder(
  folder: string,
  onSign: (sign: FileSign, name?: NameSign) => void,
): Promise<FileWatch> {
  const watched = new WatchedFolder(folder, onSign);
  try {
    await watched.start();
  } catch (cause) {
    await watched.close();
    throw fileError(`watching ${folder}`, cause);
  }
  return { close: () => watched.close() };
}

class WatchedFolder {
  readonly #folder: string;
  readonly #onSign: (sign: FileSign, name?: NameSign) => void;
  readonly #closing = new AbortController();
  #armed: Armed | null = null;
  #looking: Promise<void> | null = null;
  #lookAgain = false;
  #isArming = true;

  constructor(folder: string, onSign: (sign: FileSign, name?: NameSign) => void) {
    this.#folder = folder;
    this.#onSign = onSign;
  }

  async start(): Promise<void> {
    this.#armed = await this.#arm();
    this.#isArming = false;
    if (this.#lookAgain) this.#look();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#looking;
    await this.#disarm();
  }

  async #disarm(): Promise<void> {
    const armed = this.#armed;
    this.#armed = null;
    await armed?.stop();
  }

  #sign(sign: FileSign, name?: NameSign): void {
    if (!this.#closing.signal.aborted) this.#onSign(sign, name);
  }

  /** Watches where the path leads, until it leads there still when that is watched. */
  async #arm(): Promise<Armed> {
    for (let attempt = 0; attempt < armingsMax; attempt++) {
      if (attempt > 0) {
        await machineTimers.sleep(armAgainMs * 2 ** (attempt - 1), this.#closing.signal);
      }
      const armed = await this.#armAt(await placeOf(this.#folder));
      const place = await placeOf(this.#folder).catch(() => null);
      if (place !== null && isSamePlace(place, armed.place)) return armed;
      await armed.stop();
    }
    throw new FileError('Failed', `${this.#folder} leads elsewhere again and again`);
  }

  async #armAt(place: Place): Promise<Armed> {
    const handle = await open(place.real, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      const stopWatching = await watchPlace(place, {
        onSign: (sign, name) => this.#sign(sign, name),
        onNames: () => this.#look(),
        onLost: () => this.#lose(),
      });
      const stop = async () => {
        await stopWatching();
        await handle.close();
      };
      return { place, handle, stop };
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** One look at a time; what happens during one is seen by the next. */
  #look(): void {
    this.#lookAgain = true;
    if (this.#isArming || this.#looking !== null) return;
    this.#looking = this.#lookWhileAsked().finally(() => {
      this.#looking = null;
    });
  }

  async #lookWhileAsked(): Promise<void> {
    while (this.#lookAgain && !this.#closing.signal.aborted && this.#armed !== null) {
      this.#lookAgain = false;
      await this.#lookOnce(this.#armed).catch(() => this.#lose());
    }
  }

  async #lookOnce(old: Armed): Promise<void> {
    const left = placeOf(this.#folder).catch(() => null);
    const leftAtNs = (await old.handle.stat({ bigint: true })).ctimeNs;
    const place = (await left) ?? (await this.#waitForIt());
    if (this.#closing.signal.aborted) return;
    if (place === null) return this.#lose();
    if (isSamePlace(place, old.place)) return;
    const armed = await this.#arm();
    this.#armed = armed;
    await old.stop();
    this.#sign(await signFor(old.place, armed.place, leftAtNs));
  }

  async #waitForIt(): Promise<Place | null> {
    for (let waitedMs = 0; waitedMs < graceMs; waitedMs += lookAgainMs) {
      await machineTimers.sleep(lookAgainMs, this.#closing.signal);
      const place = await placeOf(this.#folder).catch(() => null);
      if (place !== null || this.#closing.signal.aborted) return place;
    }
    return null;
  }

  #lose(): void {
    if (this.#closing.signal.aborted) return;
    this.#onSign('lost');
    this.#closing.abort();
    void this.#disarm();
  }
}

async function signFor(old: Place, now: Place, leftAtNs: bigint): Promise<FileSign> {
  if (now.identity === old.identity) return 'changed';
  if (now.real !== old.real) return 'swapped';
  const { birthtimeNs, mtimeNs } = await stat(now.real, { bigint: true });
  const wasThere = birthtimeNs > 0n && birthtimeNs < leftAtNs && mtimeNs < leftAtNs;
  return wasThere ? 'swapped' : 'changed';
}

function isSamePlace(one: Place, other: Place): boolean {
  const isSamePin = one.pins.every(({ folder, name }, index) => {
    const pin = other.pins[index];
    return pin?.folder === folder && pin.name === name;
  });
  return isSamePin && one.pins.length === other.pins.length && one.identity === other.identity;
}
