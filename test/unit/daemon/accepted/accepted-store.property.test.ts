/**
 * Any sequence of submissions, with a crash or a failure at any write to the disk: what is in force
 * afterwards is what was before or what was to be, and a number never stands for two contents.
 */
import { deepEqual, equal, ok } from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AcceptedStore } from '../../../../src/daemon/accepted/accepted-store.ts';
import { documentsDigest } from '../../../../src/daemon/accepted/documents-digest.ts';
import type { FileErrorCode } from '../../../../src/daemon/runtime.ts';
import type { AcceptedBundle, Submission } from '../../../../src/report/submission.ts';
import { writeFails } from '../../../support/virtual-files.ts';
import { type VirtualRuntime, virtualRuntime } from '../../../support/virtual-runtime.ts';
import { at, fileOf, opened, secondary, submission } from './submissions.ts';

type Mishap =
  | { readonly kind: 'none' }
  | { readonly kind: 'crash'; readonly write: number; readonly when: 'before' | 'after' }
  | { readonly kind: 'failure'; readonly write: number; readonly code: FileErrorCode }
  /** The newest file is cut off, or a byte of it is turned over, while nobody runs. */
  | { readonly kind: 'torn'; readonly byte: number; readonly cut: boolean };

interface Step {
  readonly submission: Submission;
  readonly mishap: Mishap;
}

const write = fc.integer({ min: 1, max: 4 });
const anyMishap: fc.Arbitrary<Mishap> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ kind: 'none' } as const) },
  fc.record({
    kind: fc.constant('crash' as const),
    write,
    when: fc.constantFrom('before' as const, 'after' as const),
  }),
  fc.record({
    kind: fc.constant('failure' as const),
    write,
    code: fc.constantFrom('NoSpace' as const, 'Failed' as const),
  }),
  fc.record({ kind: fc.constant('torn' as const), byte: fc.nat(), cut: fc.boolean() }),
);

const anySubmission: fc.Arbitrary<Submission> = fc
  .record({
    documents: fc.subarray(['a', 'b', 'c']).map((names) => names.map((name) => secondary(name))),
    generation: fc.option(fc.integer({ min: 1, max: 30 }), { freq: 3 }),
    deleteEverything: fc.boolean(),
  })
  .map(submission);

const anySteps = fc.array(fc.record({ submission: anySubmission, mishap: anyMishap }), {
  minLength: 1,
  maxLength: 30,
});

/** What has been in force under each number, and the greatest of them. */
interface Seen {
  readonly contents: Map<number, string>;
  greatest: number;
}

function look({ inForce }: AcceptedStore, seen: Seen): void {
  if (inForce === null) return;
  const content = JSON.stringify(inForce);
  equal(content, seen.contents.get(inForce.generation) ?? content);
  seen.contents.set(inForce.generation, content);
  seen.greatest = Math.max(seen.greatest, inForce.generation);
}

/** Takes the step, and leaves a store as a process finds it afterwards. */
async function take(runtime: VirtualRuntime, store: AcceptedStore, { submission, mishap }: Step) {
  const before = store.inForce;
  const { files } = runtime;
  if (mishap.kind === 'crash') files.crashAtWrite(files.writes + mishap.write, mishap.when);
  if (mishap.kind === 'failure')
    files.faults.push(writeFails(files.writes + mishap.write, mishap.code));
  const result = await store.accept(submission, at);
  files.faults.length = 0;
  if (!files.crashed) {
    if (result.status === 'accepted') isWhole(store.inForce, submission, result.bundle.generation);
    else equal(store.inForce, before);
    return { runtime, store };
  }
  const next = runtime.restart({ losePower: true });
  const again = await opened(next);
  const same = JSON.stringify(again.inForce) === JSON.stringify(before);
  // What was answered with `accepted` is not lost, whatever came later.
  if (result.status === 'accepted') equal(same, false);
  if (!same) isWhole(again.inForce, submission, again.inForce?.generation ?? 0);
  return { runtime: next, store: again };
}

function isWhole(bundle: AcceptedBundle | null, given: Submission, generation: number): void {
  ok(bundle !== null);
  equal(bundle.generation, generation);
  equal(bundle.digest, documentsDigest(given.documents));
  deepEqual(bundle.documents, given.documents);
  equal(bundle.deleteEverything, given.deleteEverything);
}

function tear(
  runtime: VirtualRuntime,
  generation: number,
  { byte, cut }: Extract<Mishap, { kind: 'torn' }>,
): void {
  const bytes = new TextEncoder().encode(runtime.disk.text(fileOf(generation)) ?? '');
  const place = byte % bytes.length;
  const turned = bytes.map((each, index) => (index === place ? each ^ 0x20 : each));
  runtime.disk.write(fileOf(generation), cut ? bytes.slice(0, place) : turned);
}

describe('accepted bundles', () => {
  test('are the one before or the one after, and numbers only rise', async () => {
    await fc.assert(
      fc.asyncProperty(anySteps, async (steps) => {
        let runtime = virtualRuntime();
        let store = await opened(runtime);
        const seen: Seen = { contents: new Map(), greatest: 0 };
        for (const step of steps) {
          const { greatest } = seen;
          const before = store.inForce;
          ({ runtime, store } = await take(runtime, store, step));
          look(store, seen);
          if (store.inForce !== null && JSON.stringify(store.inForce) !== JSON.stringify(before)) {
            ok(store.inForce.generation > greatest);
          }
          const lost = store.inForce?.generation;
          if (step.mishap.kind === 'torn' && lost !== undefined) {
            tear(runtime, lost, step.mishap);
            runtime = runtime.restart();
            store = await opened(runtime);
            ok(store.torn.some(({ generation }) => generation === lost));
            look(store, seen);
          }
        }
        // A start without a mishap changes nothing.
        const last = await opened(runtime.restart({ losePower: true }));
        expect(last.inForce).toEqual(store.inForce);
        expect(last.history).toEqual(store.history);
        expect(last.torn).toEqual(store.torn);
      }),
      { numRuns: 200 },
    );
  });
});
