import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nextDocuments } from '../../../../src/daemon/accepted/next-submission.ts';
import type { PlainDocument } from '../../../../src/report/submission.ts';
import { secondary } from './submissions.ts';

const volume = (name: string): PlainDocument => ({
  file: 'volumes.yaml',
  value: { kind: 'Volume', metadata: { name }, spec: {} },
});

describe('a folder that may still be written', () => {
  test('at first there is nothing to hold back', () => {
    const given = [secondary('web'), volume('data')];
    expect(nextDocuments([], given)).toEqual({ documents: given, heldBack: [] });
  });

  test('what is new or changed is taken', () => {
    const inForce = [secondary('web', { vcpus: 1, replicas: 2 })];
    const given = [secondary('web', { vcpus: 2, replicas: 2 }), secondary('db')];
    expect(nextDocuments(inForce, given)).toEqual({ documents: given, heldBack: [] });
  });

  test('what is missing stays as it is in force', () => {
    const inForce = [secondary('web'), secondary('db'), volume('web')];
    expect(nextDocuments(inForce, [secondary('web', { vcpus: 2 })])).toEqual({
      documents: [secondary('web', { vcpus: 2 }), secondary('db'), volume('web')],
      heldBack: [
        { kind: 'Secondary', name: 'db', would: 'go' },
        { kind: 'Volume', name: 'web', would: 'go' },
      ],
    });
  });

  test('an empty one takes nothing away', () => {
    const inForce = [secondary('web'), volume('data')];
    expect(nextDocuments(inForce, []).documents).toEqual(inForce);
  });

  test('one that is in another file by now is not missing', () => {
    const moved = { ...secondary('web'), file: 'all.yaml' };
    expect(nextDocuments([secondary('web')], [moved])).toEqual({
      documents: [moved],
      heldBack: [],
    });
  });

  test.each([
    ['fewer', { replicas: 3 }, { replicas: 2 }, true],
    ['none any more', { replicas: 3 }, {}, true],
    ['NAME becomes NAME-0', {}, { replicas: 3 }, true],
    ['no number', { replicas: 3 }, { replicas: '3' }, true],
    ['never a number', { replicas: 3 }, { replicas: Number.NaN }, true],
    ['more', { replicas: 3 }, { replicas: 4 }, false],
    ['as many', { replicas: 3 }, { replicas: 3, vcpus: 2 }, false],
    ['one without', {}, { vcpus: 2 }, false],
  ])('replicas: %s', (_, before, after, shrinks) => {
    const [old, given] = [secondary('web', before), secondary('web', after)];
    expect(nextDocuments([old], [given])).toEqual({
      documents: [shrinks ? old : given],
      heldBack: shrinks ? [{ kind: 'Secondary', name: 'web', would: 'shrink' }] : [],
    });
  });

  test('what has no identity is passed on, twice the same as well', () => {
    const odd = [null, 7, [], {}, { kind: 'Secondary' }, { kind: 1, metadata: { name: 'x' } }];
    const given = odd.map((value) => ({ file: 'odd.yaml', value }));
    const twice = [secondary('a'), secondary('a')];
    expect(nextDocuments([secondary('a')], [...given, ...twice])).toEqual({
      documents: [...given, ...twice],
      heldBack: [],
    });
  });

  test('two identities are never one', () => {
    const of = (kind: string, name: string) => ({ file: '', value: { kind, metadata: { name } } });
    const inForce = [of('a', 'b","c'), of('a","b', 'c')];
    expect(nextDocuments(inForce, [of('a b', 'c')]).documents).toHaveLength(3);
  });
});

const anyValue = fc.oneof(
  fc.jsonValue(),
  fc.record(
    {
      kind: fc.oneof(fc.constantFrom('Secondary', 'Volume', '__proto__'), fc.jsonValue()),
      metadata: fc.oneof(
        fc.record({ name: fc.constantFrom('a', 'b', '__proto__') }),
        fc.jsonValue(),
      ),
      spec: fc.oneof(
        fc.record({ replicas: fc.oneof(fc.integer(), fc.jsonValue()) }),
        fc.jsonValue(),
      ),
    },
    { requiredKeys: [] },
  ),
);
const anyDocuments = fc.array(fc.record({ file: fc.constantFrom('x', 'y'), value: anyValue }));

describe('whatever is there', () => {
  const identities = (documents: readonly PlainDocument[]) =>
    documents.flatMap(({ value }) => {
      const { kind, metadata } = (value ?? {}) as { kind?: unknown; metadata?: { name?: unknown } };
      const name = metadata?.name;
      return typeof kind === 'string' && typeof name === 'string' ? [`${kind} ${name}`] : [];
    });

  test('nothing that is in force goes, and nothing that is given is lost without a word', () => {
    fc.assert(
      fc.property(anyDocuments, anyDocuments, (inForce, given) => {
        const { documents, heldBack } = nextDocuments(inForce, given);
        expect(identities(documents)).toEqual(expect.arrayContaining(identities(inForce)));
        expect(identities(documents)).toEqual(expect.arrayContaining(identities(given)));
        const refused = given.filter((each) => !documents.includes(each));
        expect(refused.length).toBe(heldBack.filter(({ would }) => would === 'shrink').length);
      }),
    );
  });

  test('once more changes nothing more', () => {
    // Two with the same identity are a mistake, and no bundle.
    const anyBundle = fc.uniqueArray(fc.record({ file: fc.constant('x'), value: anyValue }), {
      selector: (document) => identities([document])[0] ?? JSON.stringify(document),
    });
    fc.assert(
      fc.property(anyBundle, anyBundle, (inForce, given) => {
        const { documents } = nextDocuments(inForce, given);
        expect(nextDocuments(documents, documents)).toEqual({ documents, heldBack: [] });
        expect(nextDocuments(documents, given).documents).toEqual(documents);
      }),
    );
  });
});
