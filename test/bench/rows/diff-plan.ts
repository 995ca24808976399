/**
 * Diff and plan of many Secondaries in memory, every other of which has a Volume and a NIC: most are
 * as wanted, every tenth is missing, every tenth differs. That it is linear shows against the same for
 * fewer of them, times as many; what limits cost, where half of those that are missing fit, against the same
 * without.
 */
import { fieldsOf, type Observed, type ObservedDomain } from '../../../src/model/domain.ts';
import {
  domainName,
  type InstallationId,
  macAddress,
  networkName,
  networkUuid,
  secondaryUuid,
} from '../../../src/model/identity.ts';
import type {
  FileName,
  PartitionName,
  SecondaryName,
  VolumeName,
} from '../../../src/model/names.ts';
import { addressAt, type ObservedNetwork } from '../../../src/model/network.ts';
import type { Volume } from '../../../src/model/volume.ts';
import { directoryStore } from '../../../src/model/thin-pool.ts';
import { absent, type Observation, present } from '../../../src/model/observation.ts';
import { nothingGuaranteed, type Share } from '../../../src/model/share.ts';
import type { Secondary } from '../../../src/model/secondary.ts';
import { diff, makePlan, planOptionsOf } from '../built.ts';
import { subject, takeTurns } from '../measure.ts';
import { secondaryName } from '../partition.ts';
import { type Row, rowOf } from '../row.ts';
import { networkFields } from '../../support/network-fields.ts';

const partition = 'pure' as PartitionName;
const installation = '5f0c8c1e-6a2b-4b8e-9d55-0c9a3c6f1d20' as InstallationId;

const network = networkFields({ cidr: '10.20.0.0/16' });

export async function diffPlan(): Promise<readonly Row[]> {
  const [tiny, small, medium, limited, large] = await takeTurns(
    [
      diffPlanOf(100),
      diffPlanOf(1000),
      diffPlanOf(10_000),
      diffPlanOf(10_000, { isLimited: true }),
      diffPlanOf(100_000),
    ],
    { count: 7, warmUps: 2 },
  );
  if (!tiny || !small || !medium || !limited || !large) throw new Error('nothing was measured');
  const times = (factor: number) => ({
    name: `diff-plan-1000, ${factor} times`,
    samples: small,
    times: factor,
  });
  const [budget, linear] = [
    { of: 'value', max: 200 },
    { of: 'ratio', max: 1.5 },
  ] as const;
  return [
    rowOf({ name: 'diff-plan-100', samples: tiny }, null),
    rowOf({ name: 'diff-plan-1000', samples: small }, null),
    rowOf({ name: 'diff-plan-10000', samples: medium, target: budget }, times(10)),
    rowOf(
      { name: 'diff-plan-10000, limited', samples: limited },
      { name: 'diff-plan-10000', samples: medium },
    ),
    rowOf({ name: 'diff-plan-100000', samples: large, target: linear }, times(100)),
  ];
}

function diffPlanOf(count: number, { isLimited = false } = {}) {
  const secondaries = new Map(
    Array.from({ length: count }, (_, index) => {
      const secondary = secondaryOf(index);
      return [secondary.name, secondary];
    }),
  );
  const all = [...secondaries.values()];
  const volumes = new Map(all.flatMap(volumesOf).map((volume) => [volume.name, volume]));
  const desired = {
    partition,
    secondaries,
    volumes,
    imageHosts: [],
    images: new Map(),
    seedContents: new Map(),
    network,
    commonCpus: { cpuset: null },
    share: isLimited ? shareFor(count) : null,
    primary: null,
  };
  const observed = observedOf(all, [...volumes.values()]);
  return subject(
    'diff + plan',
    () => makePlan(diff(desired, observed), observed, planOptionsOf({ maxDeletions: 10 })),
    {
      check: ({ operations }) => {
        const starts = operations.filter(({ kind }) => kind === 'domain.start').length;
        // Of ten: one to define and start, with a Volume and an address, and one to redefine.
        const all = (count / 10) * 5 + 1; // with the packet filter of them all
        if (isLimited ? starts === count / 20 : operations.length === all) return;
        throw new Error(
          `${operations.length} operations, ${starts} starts for ${count} Secondaries`,
        );
      },
    },
  );
}

/** Room for half of those that do not run. */
function shareFor(count: number): Share {
  const limits = {
    vcpus: count * 0.95,
    memoryBytes: count * 2 ** 30,
    storageBytes: count * 2 ** 31,
    secondaries: count,
    diskBytesPerSecond: null,
    diskOperationsPerSecond: null,
  };
  return { limits, guarantees: nothingGuaranteed, enforcement: 'Admission' };
}

function secondaryOf(index: number): Secondary {
  return {
    name: secondaryName(index) as SecondaryName,
    vcpus: 1,
    memoryBytes: 128 * 2 ** 20,
    boot: {
      kind: 'kernel',
      kernel: 'vmlinuz' as FileName,
      initrd: 'initrd.img' as FileName,
      commandLine: `console=ttyS0 quiet unnest.name=${secondaryName(index)}`,
    },
    disks: index % 2 === 0 ? [{ volume: volumeName(index), format: 'raw', backing: null }] : [],
    seed: null,
    network: index % 2 === 0 ? 'Partition' : 'None',
    slice: null,
    serialConsole: true,
    guestAgent: false,
    runPolicy: 'Always',
    updatePolicy: 'Staged',
    stopGraceMs: 30_000,
    forceStop: true,
    labels: new Map(),
    protect: false,
    startAfter: [],
    readiness: 'Running',
    readinessPort: null,
  };
}

const volumeName = (index: number) => `v${index}` as VolumeName;

function volumesOf({ disks }: Secondary): readonly Volume[] {
  return disks.map(({ volume, format }) => ({
    name: volume,
    sizeBytes: 2 ** 30,
    format,
    origin: null,
    copyOf: null,
    deletionPolicy: 'Retain',
  }));
}

function observedOf(secondaries: readonly Secondary[], volumes: readonly Volume[]): Observed {
  const there = (_: unknown, index: number) => index % 10 !== 0;
  return {
    partition,
    installation,
    installationRecorded: true,
    cids: absent,
    unlisted: null,
    unlistedVolumes: null,
    volumeStore: present(directoryStore),
    unlistedImages: null,
    intakes: new Map(),
    unlistedIntakes: null,
    imageDisk: absent,
    catalogue: new Map(),
    unlistedSeeds: null,
    seeds: new Map(),
    domains: new Map(
      secondaries.map((secondary, index) => [secondary.name, observationOf(secondary, index)]),
    ),
    facts: present({
      platform: { domainType: 'qemu', machine: 'q35' },
      cpus: 2,
      memoryBytes: 2 ** 32,
    }),
    volumes: new Map(
      volumes.map((volume, index) => [
        volume.name,
        index % 5 === 0
          ? absent
          : present({ ...volume, owner: { installation, partition }, state: 'ready' as const }),
      ]),
    ),
    images: new Map(),
    slice: absent,
    primary: absent,
    uplinks: absent,
    filter: absent,
    network: present(networkWith(secondaries.filter(there))),
    files: new Map(['vmlinuz', 'initrd.img'].map((file) => [file, present(1)])),
  };
}

/** With an address for each of these that has a NIC. */
function networkWith(secondaries: readonly Secondary[]): ObservedNetwork {
  const owner = { installation, partition };
  const reservations = new Map(
    secondaries
      .filter((secondary) => secondary.network === 'Partition')
      .map(({ name }, index) => [
        name,
        {
          mac: macAddress({ ...owner, secondary: name }),
          address: addressAt(network.cidr, index + 2),
        },
      ]),
  );
  const entries = [...reservations];
  return {
    uuid: networkUuid(owner),
    networkName: networkName(partition),
    owner,
    active: true,
    defined: network,
    live: network,
    lastApplied: network,
    reservations,
    stray: [],
    leases: reservations,
    taken: entries.map(([, { address }]) => address),
    fingerprint: '0',
  };
}

function observationOf(secondary: Secondary, index: number): Observation<ObservedDomain> {
  if (index % 10 === 0) return absent;
  const owner = { installation, partition, secondary: secondary.name };
  const fields = fieldsOf(secondary);
  const domain = {
    uuid: secondaryUuid(owner),
    domainName: domainName(partition, secondary.name),
    owner,
    power: { status: 'running' } as const,
    persistent: true,
    defined: index % 10 === 1 ? { ...fields, vcpus: 2, vcpusMax: 2 } : fields,
    live: fields,
    stopAsked: false,
    saved: false,
    lastApplied: fields,
    fingerprint: String(index),
    runId: index,
    portsFree: 0,
    agent: 'none' as const,
    foundReady: null,
    foreignCid: null,
    translationCacheBytes: 0,
  };
  return present(domain);
}
