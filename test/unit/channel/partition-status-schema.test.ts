import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type * as z from 'zod';
import {
  partitionStatusSchema,
  partitionStatusSchemaText,
} from '../../../src/channel/partition-status-schema.ts';
import type { PartitionStatus } from '../../../src/report/partition-status.ts';
import { partitionStatus, secondaryReport } from './fake-control.ts';

test('schemas/partition-status.v1.json is current (npm run schemas)', () => {
  const path = new URL('../../../schemas/partition-status.v1.json', import.meta.url);
  expect(readFileSync(path, 'utf8')).toBe(partitionStatusSchemaText());
});

type Frozen<T> = T extends object ? { readonly [K in keyof T]: Frozen<T[K]> } : T;

/** Every status there can be is one that the schema takes, by type. */
const documentOf = (status: PartitionStatus): Frozen<z.output<typeof partitionStatusSchema>> =>
  status;

test('the schema has every field of a status, and no other', () => {
  const since = '2026-01-01T00:00:00.000Z';
  const ready = { type: 'Ready', status: 'True', reason: 'Running', message: '' } as const;
  const conditions = [{ ...ready, since, generation: 6 }];
  const full = partitionStatus({
    conditions,
    secondaries: [secondaryReport({ conditions })],
    resources: [{ kind: 'volume', name: 'data', sync: 'Synced', message: '', phase: null }],
    lastPass: {
      at: since,
      because: ['documents'],
      durationMs: 1,
      applied: 1,
      already: 0,
      failed: 0,
      skipped: 0,
      cancelled: 0,
      failures: [],
    },
    nextTryAt: since,
  });
  expect(partitionStatusSchema.parse(documentOf(full))).toEqual(full);
});
