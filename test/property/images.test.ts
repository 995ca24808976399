/**
 * Images of any bytes, most of them nearly right, since those get furthest: an import refuses them for a
 * reason of the list, or makes a disk of ours that needs nothing, whatever they say.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { HostError } from '../../src/host/host-error.ts';
import { parseQcow2Header, type Qcow2Header } from '../../src/host/local/qcow2-header.ts';
import { qcow2Objection } from '../../src/host/local/qcow2-rules.ts';
import { unpackedBytesMax } from '../../src/model/volume.ts';
import { imageExplanations } from '../../src/cli/explain/images.ts';
import { soundQcow2 } from '../support/hostile-images.ts';
import { localStoreForTests, MiB, never, us } from '../support/local-store.ts';
import { runs, soakMs } from './arbitraries.ts';

type Edit =
  | { readonly kind: 'bytes'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'length'; readonly length: number };

const fields = [4, 8, 16, 20, 24, 32, 36, 40, 48, 56, 60, 64, 72, 80, 88, 96, 100, 104, 112, 116];
const numbers = [0n, 1n, 2n, 4n, 8n, 9n, 512n, 4096n, 65_536n, 65_544n, 131_072n, 196_608n].concat([
  262_144n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 40n,
  (2n ** 62n) | 65_536n,
  (2n ** 63n) | 65_536n,
  (2n ** 63n) | 327_680n,
  2n ** 64n - 1n,
]);

const word = (length: 4 | 8, value: bigint): Uint8Array => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return length === 8 ? bytes : bytes.subarray(4);
};
const anyWord = fc
  .tuple(fc.constantFrom<4 | 8>(4, 8), fc.oneof(fc.constantFrom(...numbers), fc.bigInt(0n, 2n ** 64n - 1n)))
  .map(([length, value]) => word(length, BigInt.asUintN(64, value))); // prettier-ignore
const anyBytes = fc.oneof(
  { weight: 4, arbitrary: anyWord },
  { weight: 2, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 8 }) },
  fc
    .constantFrom('/etc/passwd', 'json:{"driver":"file"}', 'nbd:a', 'conectix', 'koly')
    .map((text) => Buffer.from(text)),
);

/** Header fields; and the tables that qemu-img makes in the clusters behind it. */
const inHeader = fc.oneof(fc.constantFrom(...fields), fc.nat(600));
const inTables = fc
  .tuple(fc.integer({ min: 1, max: 4 }), fc.nat(40), fc.constantFrom(0, 0, 0, 1, 3))
  .map(([cluster, entry, off]) => cluster * 65_536 + entry * 8 + off);
const editOf = (at: fc.Arbitrary<number>): fc.Arbitrary<Edit> =>
  fc.record({ kind: fc.constant('bytes'), at, bytes: anyBytes });
const anyEdit = fc.oneof(
  { weight: 3, arbitrary: editOf(inHeader) },
  { weight: 4, arbitrary: editOf(inTables) },
  editOf(fc.nat(1_400_000)),
  fc.record({ kind: fc.constant('length'), length: fc.nat(1_600_000) }),
);

function edited(bytes: Buffer, edits: readonly Edit[]): Buffer {
  let made = Buffer.from(bytes);
  for (const edit of edits) {
    if (edit.kind === 'length') {
      made = Buffer.concat([made, Buffer.alloc(MiB)]).subarray(0, edit.length);
    } else {
      made.set(edit.bytes.subarray(0, Math.max(0, made.length - edit.at)), Math.min(edit.at, made.length));
    }
  }
  return made;
} // prettier-ignore

/** @throws unless it needs nothing, hides nothing and lies within the file */
function checkHarmless(header: Qcow2Header, fileBytes: number): void {
  const { incompatibleBits, compatibleBits, autoclearBits, clusterBits } = header;
  const isHarmless =
    header.backing === null &&
    (incompatibleBits & ~8n) === 0n &&
    (compatibleBits & ~1n) === 0n &&
    autoclearBits === 0n &&
    header.snapshots === 0 &&
    header.cryptMethod === 0 &&
    clusterBits >= 9 &&
    clusterBits <= 21 &&
    header.l1Offset + BigInt(header.l1Entries) * 8n <= BigInt(fileBytes) &&
    header.endsAt > 0;
  if (!isHarmless) throw new Error('it was believed');
}

const disk = () => {
  const store = localStoreForTests();
  onTestFinished(store.dispose);
  const path = join(store.dir, 'sound');
  soundQcow2(path);
  return { store, sound: readFileSync(path) };
};

test('a header of any bytes is answered, and never believed', { timeout: soakMs }, () => {
  const { sound } = disk();
  const head = sound.subarray(0, 4096);
  const anyHeader = fc
    .array(editOf(inHeader), { minLength: 1, maxLength: 6 })
    .map((edits) => parseQcow2Header(edited(head, edits)));
  const check = (header: ReturnType<typeof parseQcow2Header>) => {
    if (!('version' in header)) return;
    if (qcow2Objection(header, sound.length, null) === null) checkHarmless(header, sound.length);
  };
  expect(() => fc.assert(fc.property(anyHeader, check), runs(2000))).not.toThrow();
});

test('an image of any bytes is refused for a reason, or becomes a disk of ours', { timeout: soakMs }, async () => {
  const { store, sound } = disk();
  const seen = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(fc.array(anyEdit, { maxLength: 5 }), async (edits) => {
      const bytes = edited(sound, edits);
      const image = store.image(bytes, { format: 'qcow2', virtualBytesMax: 64 * MiB });
      const error = await store.images.import(us, image, never).then(
        () => null,
        (refused: unknown) => refused,
      );
      seen.set(outcomeOf(error), (seen.get(outcomeOf(error)) ?? 0) + 1);
      const left = store.filesIn(store.layout.imagesDir) ?? [];
      expect(left).toEqual(error === null ? [image.name] : []);
      if (error !== null) return;
      checkMade(readFileSync(store.layout.imageFile(image.name, 'qcow2')));
      await store.images.delete(us, image.name, never);
    }),
    runs(20),
  );
  if (process.env['UNNEST_PROPERTY_RUNS'] !== undefined) console.log(Object.fromEntries(seen));
}); // prettier-ignore

/** @throws unless it is sound, needs nothing and is no longer than it may be */
function checkMade(made: Buffer): void {
  const header = parseQcow2Header(made.subarray(0, 4096));
  if (!('version' in header)) throw new Error(header.words);
  const objection = qcow2Objection(header, made.length, null);
  if (objection !== null) throw new Error(objection.words);
  if (made.length > unpackedBytesMax(Number(header.virtualBytes))) throw new Error('too long');
}

/** @throws unless it is a refusal with a code that is explained */
function outcomeOf(error: unknown): string {
  if (error === null) return 'imported';
  if (!(error instanceof HostError) || error.code !== 'Refused') throw error;
  const code = String(error.context['objection']);
  if (!Object.hasOwn(imageExplanations, code)) throw error;
  return code;
}
