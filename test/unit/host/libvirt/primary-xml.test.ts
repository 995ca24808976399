import { expect, test } from 'vitest';
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
