/** What a worker hands over that is not what an honest one would: said, and never at its length. */
import { expect, test } from 'vitest';
import type { AcceptedStore } from '../../../src/daemon/accepted/accepted-store.ts';
import type { ParsedDocuments } from '../../../src/daemon/parser.ts';
import { receive } from '../../../src/daemon/receive.ts';
import type { PartitionName } from '../../../src/model/names.ts';
import { honestParser } from '../../support/virtual-daemon.ts';

const description = {
  file: 'partition.yaml',
  value: {
    apiVersion: 'unnest.dev/v1',
    kind: 'Partition',
    metadata: { name: 'team-a' },
    spec: { limits: { vcpus: 1, memory: '1GiB', storage: '1GiB', secondaries: 1 } },
  },
};

// What is refused never gets to the store.
const nothing = { inForce: null, history: [] } as unknown as AcceptedStore;

async function received(value: unknown, accepted = nothing, isFolder = true) {
  const answer: ParsedDocuments = { status: 'parsed', documents: [{ file: 'a.yaml', value }] };
  return receive(
    {
      source: 'Directory',
      submitter: 'a folder',
      files: [{ path: 'a.yaml', text: '' }],
      generation: null,
      ifGeneration: null,
      deleteEverything: false,
      deletionsMax: null,
      isFolder,
      isComplete: true,
    },
    {
      partition: 'team-a' as PartitionName,
      orders: () => ({ description, rules: 'Directory', refusal: null }),
      parser: { ...honestParser, parse: async () => answer },
      accepted,
      folderAgreedOn: 0,
      now: () => '2026-01-01T00:00:00Z',
      onWorkerFailure: () => undefined,
      signal: new AbortController().signal,
    },
  );
}

test('names of a forged document are cut and tamed in what is said of it', async () => {
  const key = `\u001b[2J${'x'.repeat(100_000)}`;
  const result = await received({
    apiVersion: 'unnest.dev/v1',
    kind: 'Volume',
    metadata: { name: 'v', [key]: 1 },
    spec: { size: '1GiB', format: 'raw' },
  });
  expect(result).toMatchObject({ status: 'refused', code: 'Invalid' });
  expect(JSON.stringify(result).length).toBeLessThan(5000);
  const [diagnostic] = result.status === 'refused' ? result.diagnostics : [];
  expect(diagnostic?.path).toMatch(/^metadata\.\ufffd\[2Jx+$/);
});

test('what a folder held does not come over what somebody has said since it was read', async () => {
  const asked: (number | null)[] = [];
  const inForce = { generation: 7, documents: [], rollbackOf: null };
  const store = {
    inForce,
    history: [],
    accept: async ({ ifGeneration }: { readonly ifGeneration: number | null }) =>
      void asked.push(ifGeneration),
  } as unknown as AcceptedStore;
  const volume = {
    apiVersion: 'unnest.dev/v1',
    kind: 'Volume',
    metadata: { name: 'v' },
    spec: { size: '1GiB' },
  };
  await received(volume, store);
  await received(volume, store, false);
  expect(asked).toEqual([7, null]);
});
