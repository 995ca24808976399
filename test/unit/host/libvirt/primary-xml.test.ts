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
