/** The two Primaries of the lab: an operator's own VMs, each with a vsock address of its own. */
import type { Host } from './host.ts';
import type { Timeline } from './timeline.ts';

export interface Primary {
  readonly name: string;
  readonly cid: number;
}

export const primaries: readonly Primary[] = [
  { name: 'team-a', cid: 101 },
  { name: 'team-b', cid: 102 },
];

/** What the guest kit says on its console, in the host of the lab. */
function consoleOf({ name }: Primary): string {
  return `/var/log/lab/${name}.log`;
}

export async function startPrimaries(host: Host, timeline: Timeline): Promise<void> {
  await host.run('systemctl is-system-running --wait');
  // Otherwise it comes when udev gets to it.
  await host.run('modprobe kvm_amd || modprobe kvm_intel; udevadm settle');
  timeline.does('the host has booted: systemd, libvirtd, cgroup v2, vhost-vsock');
  const isKvm = (await host.run('lab-kvm-trial /var/lib/lab 60')).code === 0;
  // Without this libvirtd asks QEMU about it at the first definition.
  await host.sh('virsh domcapabilities --virttype qemu >/dev/null');
  timeline.does(`its guests run on ${isKvm ? 'KVM' : 'emulation'}`);
  await host.sh('mkdir -p /var/log/lab');
  for (const primary of primaries) {
    await host.sh('virsh define /dev/stdin', primaryXml(primary, isKvm));
    await host.sh(`virsh start ${primary.name}`);
  }
  for (const primary of primaries) {
    const booted = new RegExp(`unnest-guest ${primary.name} booted`);
    const console = `cat ${consoleOf(primary)}`;
    const boots = host.printing(`Primary ${primary.name} boots`, console, booted, 240);
    await host.becomes({ ...boots, isFirstWord: true });
    timeline.does(`Primary ${primary.name} has booted; its CID is ${primary.cid}`);
  }
}

function primaryXml({ name, cid }: Primary, isKvm: boolean): string {
  return `<domain type='${isKvm ? 'kvm' : 'qemu'}'>
  <name>${name}</name>
  <memory unit='MiB'>192</memory>
  <vcpu>1</vcpu>
  <os>
    <type machine='q35'>hvm</type>
    <kernel>/var/lib/lab/vmlinuz</kernel>
    <initrd>/var/lib/lab/initrd.img</initrd>
    <cmdline>console=ttyS0 quiet unnest.do=client unnest.every=30 unnest.name=${name}</cmdline>
  </os>
  <features><acpi/></features>
  ${isKvm ? "<cpu mode='host-passthrough'/>" : ''}
  <devices>
    <serial type='pty'><log file='/var/log/lab/${name}.log' append='on'/></serial>
    <vsock><cid auto='no' address='${cid}'/></vsock>
  </devices>
</domain>`;
}
