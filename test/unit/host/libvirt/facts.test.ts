import { describe, expect, test } from 'vitest';
import { platformFrom } from '../../../../src/host/libvirt/facts.ts';

const capabilities = (arch: string, ...guests: readonly string[]) =>
  `<capabilities><host><cpu><arch>${arch}</arch></cpu></host>${guests.join('')}</capabilities>`;
const guest = (arch: string, ...types: readonly string[]) =>
  `<guest><os_type>hvm</os_type><arch name='${arch}'>${types.map((type) => `<domain type='${type}'/>`).join('')}</arch></guest>`;

describe('what a new domain runs on', () => {
  test.each([
    [
      'KVM where there is KVM',
      ['x86_64', guest('i686', 'qemu'), guest('x86_64', 'qemu', 'kvm')],
      { domainType: 'kvm', machine: 'q35' },
    ],
    [
      'emulation where there is none',
      ['x86_64', guest('x86_64', 'qemu')],
      { domainType: 'qemu', machine: 'q35' },
    ],
    [
      'the machine is left to libvirt elsewhere',
      ['aarch64', guest('aarch64', 'qemu', 'kvm')],
      { domainType: 'kvm', machine: null },
    ],
    [
      "libvirt's own test driver, which has one guest",
      ['i686', guest('i386', 'test')],
      { domainType: 'test', machine: null },
    ],
  ] as const)('%s', (_what, [arch, ...guests], platform) => {
    expect(platformFrom(capabilities(arch, ...guests))).toEqual(platform);
  });

  test('nothing, if only foreign architectures can be run', () => {
    const foreign = capabilities('x86_64', guest('arm', 'qemu'), guest('sparc', 'qemu'));
    expect(() => platformFrom(foreign)).toThrow('no guest of architecture x86_64');
  });
});
