/** What any earlier version applied plans to no change: an upgrade touches nobody's VMs. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { diff } from '../../../../../src/diff/diff.ts';
import { parseDocuments } from '../../../../../src/documents/desired-state.ts';
import { readDomainXml } from '../../../../../src/host/libvirt/read-domain-xml.ts';
import { storeLayout } from '../../../../../src/host/local/layout.ts';
import type { ObservedDomain } from '../../../../../src/model/domain.ts';
import { domainName, secondaryUuid } from '../../../../../src/model/identity.ts';
import type { SecondaryName } from '../../../../../src/model/names.ts';
import { directoryStore } from '../../../../../src/model/thin-pool.ts';
import { absent, present } from '../../../../../src/model/observation.ts';
import { makePlan } from '../../../../../src/plan/plan.ts';
import { noWishes } from '../../../../../src/plan/wishes.ts';
import { installation, partition } from '../../../../support/passes.ts';

const store = storeLayout('/var/lib/unnest', partition);
const versions = readdirSync(import.meta.dirname, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

function observe(folder: string, name: SecondaryName): ObservedDomain {
  const xml = readFileSync(join(folder, `${name}.xml`), 'utf8');
  const { owner, fields, lastApplied, stopAsked } = readDomainXml(xml, store);
  return {
    uuid: secondaryUuid({ installation, partition, secondary: name }),
    domainName: domainName(partition, name),
    owner,
    power: { status: 'stopped', reason: 'unknown' },
    persistent: true,
    defined: fields,
    lastApplied,
    live: null,
    stopAsked,
    saved: false,
    fingerprint: '',
    runId: null,
    portsFree: 0,
    agent: 'none',
    foundReady: null,
    foreignCid: null,
    translationCacheBytes: 0,
  };
}

describe('applied by', () => {
  test.each(versions)('%s', (version) => {
    const folder = join(import.meta.dirname, version);
    const text = readFileSync(join(folder, 'documents.yaml'), 'utf8');
    const parsed = parseDocuments([{ path: 'documents.yaml', text }], partition);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.diagnostics));
    const names = [...parsed.desired.secondaries.keys()];
    const observed = {
      partition,
      installation,
      installationRecorded: true,
      unlisted: null,
      unlistedVolumes: null,
      volumeStore: present(directoryStore),
      unlistedImages: null,
      unlistedSeeds: null,
      seeds: new Map(),
      domains: new Map(names.map((name) => [name, present(observe(folder, name))])),
      facts: present({
        platform: { domainType: 'qemu', machine: 'q35' },
        cpus: 2,
        memoryBytes: 2 ** 32,
      }),
      files: new Map(),
      volumes: new Map(),
      images: new Map(),
      intakes: new Map(),
      unlistedIntakes: null,
      imageDisk: absent,
      catalogue: new Map(),
      network: absent,
      slice: absent,
      primary: absent,
      uplinks: absent,
      filter: absent,
      cids: absent,
    };
    const plan = makePlan(diff(parsed.desired, observed), observed, {
      ...noWishes,
      deleteEverything: false,
      deletionsMax: 0,
      deletionReason: 'not-in-documents',
      deletionGraceMs: null,
    });
    expect(plan.entries).toEqual(
      names
        .toSorted()
        .map((name) => ({ kind: 'unchanged', resource: { kind: 'secondary', name }, waiting: [] })),
    );
  });
});
