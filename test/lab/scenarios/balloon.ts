import { givePartition } from '../install.ts';
import type { Scenario } from '../scenario.ts';
import { ask, boots } from '../secondaries.ts';

const web = { partition: 'team-d', name: 'web' };
const halted = { ...web, more: '  runPolicy: Halted\n' };
const log = '/var/log/lab/team-d.log';

/** The Primary fills them: 704 MiB, and 123 MiB that its virtual machine needs besides. */
const spec = `  limits: { vcpus: 2, memory: 832MiB, storage: 1GiB, secondaries: 4 }
  primary:
    domain: team-d
    reserved: { vcpus: 1, memory: 192MiB }
    grants: [memory]
`;

/** What is left beside web, which takes 128 MiB and 106 MiB besides. */
const left = { guest: 475, machine: (475 + 123) * 2 ** 20 };

const primaryXml = (isKvm: boolean) => `<domain type='${isKvm ? 'kvm' : 'qemu'}'>
  <name>team-d</name>
  <uuid>5d1f0a4e-7a53-4a4b-9d0c-0d6b6f3c0c04</uuid>
  <memory unit='MiB'>704</memory>
  <vcpu current='1'>2</vcpu>
  <os>
    <type machine='q35'>hvm</type>
    <kernel>/var/lib/lab/vmlinuz</kernel>
    <initrd>/var/lib/lab/initrd.img</initrd>
    <cmdline>console=ttyS0 quiet unnest.name=team-d</cmdline>
  </os>
  <features><acpi/></features>
  <cpu mode='${isKvm ? 'host-passthrough' : 'maximum'}'/>
  <devices>
    <serial type='pty'><log file='${log}' append='on'/></serial>
    <memballoon model='virtio'/>
  </devices>
</domain>`;

/** Every limit on it, from its own group up, as the kernel has them. */
const limitsOnIt = `group=/sys/fs/cgroup$(cut -d: -f3 /proc/$(cat /run/libvirt/qemu/team-d.pid)/cgroup)
while [ $group != /sys/fs/cgroup ]; do cat $group/memory.max; group=$(dirname $group); done`;

export const balloon: Scenario = {
  name: 'balloon',
  about: 'a Primary without virtio-mem gives by its balloon, and the kernel holds it to that',
  set: 'quick',
  from: 'installed',
  breaks: 'the Primary itself sees less',
  run: async (lab) => {
    const { host } = lab;
    const isKvm = (await host.run('test -w /dev/kvm')).code === 0;
    await lab.does('the operator makes a Primary, and describes its partition', async () => {
      await host.sh('virsh define /dev/stdin', primaryXml(isKvm));
      await host.sh('virsh start team-d');
      await givePartition(host, 'team-d', spec);
      await host.sh('mkdir -p /etc/unnest/desired/team-d');
    });
    const says = (claim: string, text: RegExp) => lab.hears(claim, `tail -n 1 ${log}`, text);
    await says('the Primary has all that there is', /704 MiB/);

    await lab.sabotage('the Primary sleeps', () => host.sh('virsh suspend team-d'));
    await lab.does('team-d asks for web', () => ask(host, web));
    await says('the Primary itself sees less', new RegExp(`${left.guest} MiB`));
    const held = new RegExp(`^${left.machine}$`, 'm');
    await lab.prints('and the kernel holds it to that', limitsOnIt, held);
    await boots(lab, 'web boots', web);

    await lab.does('the Primary boots anew, and has forgotten its balloon', async () => {
      await host.sh(`: > ${log}; virsh reset team-d`);
    });
    await lab.prints('the kernel still holds it to that', limitsOnIt, held);
    await says('it comes up', /up [0-9]+ s/);
    await boots(lab, 'and web still runs', web);

    await lab.does('nobody asks for anything any more', () => ask(host, halted));
    await says('the Primary has got back all', /704 MiB/);
    const none = new RegExp(`^(?![^]*^${left.machine}$)`, 'm');
    await lab.prints('and nothing holds it to less', limitsOnIt, none);
  },
};
