/** A guest whose parts are not there does not come up. */
import { describe, expect, test } from 'vitest';
import { explainError } from '../../../../src/host/host-error.ts';
import type { FilesMode } from '../../../../src/host/simulated/store.ts';
import { type DomainFields, fieldsOf } from '../../../../src/model/domain.ts';
import { joinUses, useOf, type VolumeOrigin } from '../../../../src/model/volume.ts';
import { secondary } from '../../../support/passes.ts';
import {
  digestOf,
  domainNamed,
  domainOf,
  imageOf,
  networkOf,
  networkRef,
  refOf,
  testHost,
  volumeOf,
  type WorldParts,
  worldOf,
} from '../../../support/simulation.ts';

const { signal } = new AbortController();
const debian = imageOf('debian', { digest: digestOf(1) });
const origin: VolumeOrigin = {
  image: debian.name,
  digest: debian.digest,
  format: 'qcow2',
  provision: 'Overlay',
};
const data = volumeOf('data');
const root = volumeOf('root', { format: 'qcow2', origin });
const disks = { bootVolume: joinUses([useOf(root)]), volumes: joinUses([useOf(data)]) };
const onNetwork = { network: 'Partition' };
const stopped = { status: 'stopped', reason: 'unknown' } as const;
const whole: WorldParts = { volumes: [data, root], images: [debian], network: networkOf() };

function hostWith(
  parts: WorldParts,
  fields: Partial<DomainFields>,
  files: FilesMode = 'any',
  owner?: null,
) {
  const defined = { ...fieldsOf(secondary('web')), ...fields };
  const web = domainOf('web', {
    power: stopped,
    defined,
    ...(owner === undefined ? {} : { owner }),
  });
  const domains = [web, ...(parts.domains ?? [])];
  return testHost(worldOf({ ...parts, domains }), { files });
}

async function startOf(host: ReturnType<typeof hostWith>): Promise<string> {
  const why = await host.domains.start(refOf('web'), signal).then(() => 'runs', explainError);
  const { guest, stopReason } = domainNamed(host, 'web');
  expect({ runs: guest !== null, stopReason }).toEqual(
    why === 'runs' ? { runs: true, stopReason } : { runs: false, stopReason: 'failed' },
  );
  return why;
}

const gone = (name: string) => `Cannot access storage file '${name}': No such file or directory`;
const inactive = networkOf({ active: false });
const user = domainOf('db', {
  power: { status: 'paused' },
  defined: fieldsOf(secondary('db')),
  live: { ...fieldsOf(secondary('db')), volumes: disks.volumes },
});

describe('a guest', () => {
  test('with all that it needs runs', async () => {
    expect(await startOf(hostWith(whole, { ...disks, ...onNetwork }))).toBe('runs');
    const transient = { ...whole, network: networkOf({ persistent: false }) };
    expect(await startOf(hostWith(transient, onNetwork))).toBe('runs');
  });

  test.each<[string, WorldParts, Partial<DomainFields>, string]>([
    ['without its file', { files: [] }, {}, 'unable to stat: vmlinuz'],
    ['without its network', { ...whole, network: null }, onNetwork, 'Network not found: no'],
    [
      'without the network that runs',
      { ...whole, network: inactive },
      onNetwork,
      `network '${networkRef.networkName}' is not active`,
    ],
    ['without its Volume', { ...whole, volumes: [root] }, disks, gone('data')],
    [
      'with half a Volume',
      { ...whole, volumes: [{ ...data, state: 'creating' }, root] },
      disks,
      gone('data'),
    ],
    [
      'with a Volume that goes',
      { ...whole, volumes: [{ ...root, state: 'deleting' }, data] },
      disks,
      gone('root'),
    ],
    [
      'with a Volume of another format',
      { ...whole, volumes: [{ ...data, format: 'qcow2' }, root] },
      disks,
      gone('data'),
    ],
    ['without what its Volume lies on', { ...whole, images: [] }, disks, gone('root')],
    [
      'with half of what its Volume lies on',
      { ...whole, images: [{ ...debian, state: 'creating' }] },
      disks,
      gone('root'),
    ],
    [
      'whose Volume another guest has',
      { ...whole, domains: [user] },
      disks,
      'Failed to get "write" lock',
    ],
  ])('%s does not run', async (_what, parts, fields, why) => {
    expect(await startOf(hostWith(parts, fields, 'listed'))).toContain(why);
  });

  test('of somebody else needs nothing that we know of', async () => {
    const fields = { ...disks, ...onNetwork };
    expect(await startOf(hostWith({ files: [] }, fields, 'listed', null))).toBe('runs');
  });
});
