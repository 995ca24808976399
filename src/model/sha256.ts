/**
 * SHA-256 (FIPS 180-4) of a text as UTF-8, for folders that may use nothing but the language. Some
 * 20 MB/s: what is put in here is bounded by the size of a document.
 */

/** The fractional parts of the square roots of the first 8 primes, and of the cube roots of 64. */
const primes = primesUpTo(64);
const initial = primes.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)));
const constants = primes.map((prime) => fraction(Math.cbrt(prime)));

const blockBytes = 64;

/** @returns 64 hexadecimal digits */
export function sha256(text: string): string {
  const state = Uint32Array.from(initial);
  const schedule = new Uint32Array(64);
  const message = padded(new TextEncoder().encode(text));
  const words = new DataView(message.buffer);
  for (let at = 0; at < message.length; at += blockBytes) {
    for (let index = 0; index < 16; index += 1) schedule[index] = words.getUint32(at + index * 4);
    expandSchedule(schedule);
    compress(state, schedule);
  }
  return [...state].map((word) => word.toString(16).padStart(8, '0')).join('');
}

function expandSchedule(schedule: Uint32Array): void {
  for (let index = 16; index < 64; index += 1) {
    const a = word(schedule, index - 15);
    const b = word(schedule, index - 2);
    const low = turned(a, 7) ^ turned(a, 18) ^ (a >>> 3);
    const high = turned(b, 17) ^ turned(b, 19) ^ (b >>> 10);
    schedule[index] = word(schedule, index - 16) + low + word(schedule, index - 7) + high;
  }
}

function compress(state: Uint32Array, schedule: Uint32Array): void {
  // Eight of them, always.
  let [a, b, c, d, e, f, g, h] = [...state] as EightWords;
  for (let index = 0; index < 64; index += 1) {
    const choice = (e & f) ^ (~e & g);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const first =
      h +
      (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) +
      choice +
      (constants[index] ?? 0) +
      word(schedule, index);
    const second = (turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + majority;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
  }
  for (const [index, value] of [a, b, c, d, e, f, g, h].entries()) {
    state[index] = word(state, index) + value;
  }
}

type EightWords = [number, number, number, number, number, number, number, number];

function padded(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const length = Math.ceil((bytes.length + 9) / blockBytes) * blockBytes;
  const message = new Uint8Array(length);
  message.set(bytes);
  message[bytes.length] = 0x80;
  new DataView(message.buffer).setBigUint64(length - 8, BigInt(bytes.length) * 8n);
  return message;
}

function word(words: Uint32Array, index: number): number {
  return words[index] ?? 0;
}

function turned(value: number, bits: number): number {
  return (value >>> bits) | (value << (32 - bits));
}

function fraction(root: number): number {
  return Math.floor((root - Math.floor(root)) * 2 ** 32);
}

function primesUpTo(count: number): readonly number[] {
  const found: number[] = [];
  for (let candidate = 2; found.length < count; candidate += 1) {
    if (found.every((prime) => candidate % prime !== 0)) found.push(candidate);
  }
  return found;
}
