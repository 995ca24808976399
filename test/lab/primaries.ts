/** The two Primaries of the lab: an operator's own VMs, each with a vsock address of its own. */
import { HostGaveUp } from './emulation.ts';
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

const secondsMax = { boot: 300, kvmTrial: 120 };
const kvmTrialsMax = 3;

export async function startPrimaries(host: Host, timeline: Timeline): Promise<void> {
  await host.run('systemctl is-system-running --wait', '', secondsMax.boot);
  // Otherwise it comes when udev gets to it.
  await host.run('modprobe kvm_amd || modprobe kvm_intel; udevadm settle');
  timeline.does('the host has booted: systemd, libvirtd, cgroup v2, vhost-vsock');
  const isKvm = await kvmWorks(host);
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
    const boots = host.printing(`Primary ${primary.name} boots`, console, booted, secondsMax.boot);
    await host.becomes({ ...boots, isFirstWord: true });
    timeline.does(`Primary ${primary.name} has booted; its CID is ${primary.cid}`);
  }
}

/** @throws HostGaveUp where it is emulated, and there: guests on emulation in it would come to no end */
async function kvmWorks(host: Host): Promise<boolean> {
  const line = `lab-kvm-trial /var/lib/lab ${secondsMax.kvmTrial}`;
  for (let tries = 0; tries < kvmTrialsMax; tries += 1) {
    if ((await host.run(line, '', 2 * secondsMax.kvmTrial)).code === 0) return true;
    if ((await host.run('test -w /dev/kvm')).code !== 0) return false;
  }
  if (host.machine.accelerator === 'kvm') return false;
  throw new HostGaveUp(`no guest boots on the emulated host's KVM, of ${kvmTrialsMax}`);
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
