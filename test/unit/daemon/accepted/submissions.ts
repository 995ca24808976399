/** Submissions, and the stores that take them, as the tests of this folder write them. */
import {
  type AcceptedStore,
  type OpenedAccepted,
  openAccepted,
} from '../../../../src/daemon/accepted/accepted-store.ts';
import type { Files } from '../../../../src/daemon/runtime.ts';
import type { PartitionName } from '../../../../src/model/names.ts';
import type { PlainDocument, Submission } from '../../../../src/report/submission.ts';
import type { VirtualRuntime } from '../../../support/virtual-runtime.ts';

export const partition = 'team-a' as PartitionName;
export const state = '/var/lib/unnest';
export const folder = `${state}/${partition}/accepted`;
export const at = '2026-01-31T12:00:00.000Z';

export function secondary(name: string, spec: object = {}): PlainDocument {
  const value = { apiVersion: 'unnest.dev/v1', kind: 'Secondary', metadata: { name }, spec };
  return { file: `${name}.yaml`, value };
}

export function submission(overrides: Partial<Submission> = {}): Submission {
  return {
    partition,
    source: 'Apply',
    submitter: 'uid 1000',
    documents: [secondary('web')],
    generation: null,
    ifGeneration: null,
    deleteEverything: false,
    deletionsMax: null,
    ...overrides,
  };
}

export const open = (runtime: VirtualRuntime): Promise<OpenedAccepted> =>
  openAccepted(runtime.files, state, partition);

/** @param files those of the runtime, if nothing is said */
export async function opened(
  runtime: VirtualRuntime,
  files: Files = runtime.files,
): Promise<AcceptedStore> {
  const result = await openAccepted(files, state, partition);
  if (result.status === 'open') return result.store;
  throw new Error(result.message);
}

export function fileOf(generation: number): string {
  return `${folder}/${String(generation).padStart(12, '0')}.json`;
}
