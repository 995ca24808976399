import { describe, expect, test } from 'vitest';
import { setBalloon } from '../../../../src/host/libvirt/primary-balloon.ts';
import { readPrimaryXml } from '../../../../src/host/libvirt/primary-xml.ts';

const domain = (partition: string) => `<domain type='kvm'>
  <name>team-a</name>
  <uuid>3e0d1f5c-93a1-4c38-8f0e-6a3f6a1f0001</uuid>
  <memory unit='KiB'>262144</memory>
  <vcpu current='1'>2</vcpu>
  <resource><partition>${partition}</partition></resource>
  <devices/>
</domain>`;

test('where a Primary runs, and where it starts next, are told apart', () => {
  expect(readPrimaryXml(domain('/unnest/p1'), domain('/machine'))).toMatchObject({
    slicePath: '/machine',
    nextSlicePath: '/unnest/p1',
  });
  expect(readPrimaryXml(domain('/unnest/p1'), null)).toMatchObject({
    slicePath: '/unnest/p1',
    nextSlicePath: '/unnest/p1',
  });
});

const MiB = 1024;
/** One vCPU of two, 704 MiB, and 123 MiB besides. */
const ballooned = (
  currentMiB: number,
  limitMiB: number | null,
  model = 'virtio',
) => `<domain type='kvm'>
  <name>team-a</name>
  <uuid>3e0d1f5c-93a1-4c38-8f0e-6a3f6a1f0001</uuid>
  <memory unit='KiB'>${704 * MiB}</memory>
  <currentMemory unit='KiB'>${currentMiB * MiB}</currentMemory>
  ${limitMiB === null ? '' : `<memtune><hard_limit unit='KiB'>${limitMiB * MiB}</hard_limit></memtune>`}
  <vcpu current='1'>2</vcpu>
  <devices><memballoon model='${model}'/></devices>
</domain>`;

test.each([
  ['what its balloon has given counts for nothing without a limit', 475, null, 704],
  ['with one it has what that leaves it', 475, 475 + 123, 475],
  ['as long as its balloon holds more, it has that', 600, 475 + 123, 600],
  ['a limit above all of it is none', 704, 2000, 704],
])('of a Primary without a memory device %s', (_, current, limit, has) => {
  const seen = readPrimaryXml(ballooned(current, limit), ballooned(current, limit));
  expect(seen).toMatchObject({
    baseBytes: 0,
    device: { blockBytes: 2 ** 20, sizeBytes: 704 * 2 ** 20 },
    live: { pluggedBytes: has * 2 ** 20 },
    defined: { pluggedBytes: has * 2 ** 20 },
  });
});

test('one without a balloon cannot be carved', () => {
  expect(readPrimaryXml(ballooned(704, null, 'none'), null)).toMatchObject({
    baseBytes: 704 * 2 ** 20,
    device: null,
    defined: { pluggedBytes: 0 },
  });
});

describe('the balloon', () => {
  /** Notes what is asked, in order; the guest follows at once, or never. */
  async function asked(fromMiB: number, toMiB: number, follows = true) {
    const guest = { currentMiB: fromMiB, limitMiB: fromMiB === 704 ? null : fromMiB + 123 };
    const calls: string[] = [];
    const side = ({ live }: { readonly live?: boolean }) => (live === true ? 'live' : 'config');
    const domains = {
      isActive: async () => true,
      xml: async () => ballooned(guest.currentMiB, guest.limitMiB),
      setMemory: async (_: unknown, kib: number, options: object) => {
        calls.push(`${side(options)} balloon ${kib / MiB}`);
        if (follows && side(options) === 'live') guest.currentMiB = kib / MiB;
      },
      setMemoryParams: async (_: unknown, params: object, options: object) => {
        const { hard_limit: limit } = params as { readonly hard_limit: number };
        calls.push(`${side(options)} limit ${limit > 2 ** 50 ? 'none' : limit / MiB}`);
      },
    };
    const never = new AbortController().signal;
    await setBalloon(domains as never, {} as never, toMiB * MiB * 1024, never);
    return calls;
  }

  test('is held to what it has given, once it has', async () => {
    expect(await asked(704, 475)).toEqual([
      'config balloon 475',
      'config limit 598',
      'live balloon 475',
      'live limit 598',
    ]);
  });

  test('is not limited before it has given, since its guest would be killed', async () => {
    expect(await asked(704, 475, false)).toEqual([
      'config balloon 475',
      'config limit 598',
      'live balloon 475',
    ]);
  });

  test('is let go before it is given back, and of all of it nothing is limited', async () => {
    expect(await asked(475, 600)).toEqual([
      'config balloon 600',
      'config limit 723',
      'live limit 723',
      'live balloon 600',
      'live limit 723',
    ]);
    expect((await asked(475, 704)).slice(1, 3)).toEqual(['config limit none', 'live limit none']);
  });
});

const withNics = (nics: string) =>
  domain('/machine').replace('<devices/>', `<devices>${nics}</devices>`);

test('its NICs are read as they run, in their order, without those on a network of ours', () => {
  const nics = `
    <interface type='bridge'><source bridge='br0'/><target dev='vnet3'/></interface>
    <interface type='direct'><source dev='eth1' mode='bridge'/></interface>
    <interface type='network'><source network='unnest.team-a'/></interface>
    <interface type='network'><source network='default' bridge='virbr0'/></interface>
    <interface type='ethernet'><target dev='tap7'/></interface>
    <interface type='ethernet'/>
    <interface type='user'/>`;
  const read = [
    { kind: 'bridge', bridge: 'br0' },
    { kind: 'direct', device: 'eth1' },
    { kind: 'network', networkName: 'default' },
    { kind: 'ethernet', tap: 'tap7' },
    { kind: 'other', type: 'ethernet' },
    { kind: 'other', type: 'user' },
  ];
  expect(readPrimaryXml(withNics(''), withNics(nics)).nics).toEqual(read);
  expect(readPrimaryXml(withNics(nics), null).nics).toEqual(read);
  expect(readPrimaryXml(withNics(nics), withNics('')).nics).toEqual([]);
});
