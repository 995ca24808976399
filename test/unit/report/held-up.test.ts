import { describe, expect, test } from 'vitest';
import { type Operation, operationId } from '../../../src/plan/operation.ts';
import { heldUpBy } from '../../../src/report/held-up.ts';

const volume = { kind: 'volume', name: 'data' } as const;
const web = { kind: 'secondary', name: 'web' } as const;
const db = { kind: 'secondary', name: 'db' } as const;
const create = operationId('volume.create', 'data');
const define = operationId('domain.define', 'web');
const start = operationId('domain.start', 'web');

/** Only who and after what is looked at. */
function operation(
  id: typeof create,
  resource: typeof volume | typeof web | typeof db | null,
  after: readonly (typeof create)[] = [],
): Operation {
  return { kind: 'domain.start', id, resource, phase: 'acquire', after } as never;
}

const operations = [
  operation(create, volume),
  operation(define, web, [create]),
  operation(start, web, [define]),
  operation(operationId('domain.start', 'db'), db, [start]),
];

describe('whoever waits', () => {
  test('for what fails is held up by it, however far away, and the failing one is not', () => {
    expect([...heldUpBy(operations, new Map([['volume/data', 1]]))]).toEqual([
      ['secondary/web', 'volume/data'],
      ['secondary/db', 'volume/data'],
    ]);
  });

  test('for what does not fail is held up by nobody', () => {
    expect(heldUpBy(operations, new Map([['secondary/db', 1]])).size).toBe(0);
    expect(heldUpBy(operations, new Map()).size).toBe(0);
  });

  test('for one that fails itself is told of the nearest', () => {
    const failures = new Map([
      ['volume/data', 1],
      ['secondary/web', 1],
    ]);
    expect([...heldUpBy(operations, failures)]).toEqual([['secondary/db', 'secondary/web']]);
  });
});
