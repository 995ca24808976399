/** Statuses to begin with, and to say in a test what is different. */
import type { SecondaryName } from '../../../../src/model/names.ts';
import type {
  PartitionStatus,
  PassReport,
  SecondaryReport,
  StatusWord,
} from '../../../../src/report/partition-status.ts';
import { partition } from './every-event.ts';

export function statusOf(more: Partial<PartitionStatus> = {}): PartitionStatus {
  return {
    apiVersion: 'unnest.dev/v1',
    kind: 'PartitionStatus',
    partition,
    generation: 3,
    observedGeneration: more.generation ?? 3,
    digest: 'sha256:00',
    sync: 'Synced',
    health: 'Healthy',
    conditions: [],
    secondaries: [],
    resources: [],
    usage: {
      secondaries: 2,
      runningVcpus: 4,
      runningMemoryBytes: 2 ** 30,
      storageBytes: 4096,
      allocated: { vcpus: 0, memoryBytes: 0, storageBytes: 0, secondaries: 0 },
      primary: null,
      limits: null,
    },
    primaryNic: { status: 'None', mac: null, address: null, prefixLength: null },
    lastPass: null,
    nextTryAt: null,
    ...more,
  };
}

export function passOf(more: Partial<PassReport> = {}): PassReport {
  return {
    at: '2026-01-02T03:04:05.000Z',
    because: ['resync'],
    durationMs: 12,
    applied: 0,
    already: 0,
    failed: 0,
    skipped: 0,
    cancelled: 0,
    failures: [],
    ...more,
  };
}

export function secondary(name: string, status: StatusWord): SecondaryReport {
  return {
    name: name as SecondaryName,
    status,
    sync: 'Synced',
    health: 'Healthy',
    domain: null,
    uuid: null,
    address: null,
    vcpus: 2,
    memoryBytes: 2 ** 29,
    labels: {},
    conditions: [],
  };
}
