import type { Host } from '../host.ts';
import { givePartition } from '../install.ts';
import type { Scenario } from '../scenario.ts';
import { ask, boots, domainOf } from '../secondaries.ts';

const web = { partition: 'team-c', name: 'web' };
const late = { partition: 'team-c', name: 'late' };
const log = '/var/log/lab/team-c.log';

/** The Primary fills them: 2 vCPUs, 704 MiB, and what its virtual machine needs besides. */
const spec = `  limits: { vcpus: 2, memory: 832MiB, storage: 1GiB, secondaries: 4 }
  primary:
    domain: team-c
    reserved: { vcpus: 1, memory: 192MiB }
    grants: [vcpus, memory]
`;

/** @param slice libvirt's `<partition>`; empty: its own choice */
function primaryXml(isKvm: boolean, slice: string): string {
  return `<domain type='${isKvm ? 'kvm' : 'qemu'}'>
  <name>team-c</name>
  <uuid>5d1f0a4e-7a53-4a4b-9d0c-0d6b6f3c0c03</uuid>
  <maxMemory slots='2' unit='MiB'>1024</maxMemory>
  <memory unit='MiB'>704</memory>
  <vcpu current='2'>2</vcpu>
  <vcpus>
    <vcpu id='0' enabled='yes' hotpluggable='no'/>
    <vcpu id='1' enabled='yes' hotpluggable='yes'/>
  </vcpus>
  ${slice === '' ? '' : `<resource><partition>${slice}</partition></resource>`}
  <os>
    <type machine='q35'>hvm</type>
    <kernel>/var/lib/lab/vmlinuz</kernel>
    <initrd>/var/lib/lab/initrd.img</initrd>
    <cmdline>console=ttyS0 quiet unnest.name=team-c</cmdline>
  </os>
  <features><acpi/></features>
  <cpu mode='${isKvm ? 'host-passthrough' : 'maximum'}'>
    <numa><cell id='0' cpus='0-1' memory='192' unit='MiB'/></numa>
  </cpu>
  <devices>
    <serial type='pty'><log file='${log}' append='on'/></serial>
    <memory model='virtio-mem'>
      <target>
        <size unit='MiB'>512</size><node>0</node>
        <block unit='MiB'>2</block><requested unit='MiB'>512</requested>
      </target>
    </memory>
  </devices>
</domain>`;
}

const definePrimary = (host: Host, isKvm: boolean, slice: string) =>
  host.sh('virsh define /dev/stdin', primaryXml(isKvm, slice));

export const carving: Scenario = {
  name: 'carving',
  about: 'what a Secondary needs is taken from its running Primary, and given back',
  set: 'quick',
  from: 'installed',
  breaks: 'libvirt sees that the Primary has given a vCPU',
  run: async (lab) => {
    const { host } = lab;
    const isKvm = (await host.run('test -w /dev/kvm')).code === 0;
    await lab.does('the operator makes a Primary, and describes its partition', async () => {
      await definePrimary(host, isKvm, '');
      await host.sh('virsh start team-c');
      await givePartition(host, 'team-c', spec);
      await host.sh('mkdir -p /etc/unnest/desired/team-c');
    });
    const status = 'unnest status --partition team-c';
    const outside = /PrimaryOutside +True.*<partition>(\/unnest\/p[0-9a-f]{12})<\/partition>/;
    await ask(host, { ...late, more: '  runPolicy: Halted\n' });
    const said = await lab.prints(
      'it is told that its Primary is not in the slice',
      status,
      outside,
    );
    const slice = outside.exec(said)?.[1] ?? '';
    await lab.does('it does what it was told', () => definePrimary(host, isKvm, slice));
    await lab.prints(
      'there is room for it in the slice',
      status,
      /PrimaryOutside .*RestartRequired/,
    );
    await lab.does('it starts its Primary anew', () =>
      host.sh('virsh destroy team-c && virsh start team-c'),
    );
    const says = (claim: string, text: RegExp) => lab.hears(claim, `tail -n 1 ${log}`, text);
    await says('the Primary has all that there is', /2 vCPU, 704 MiB/);
    await lab.prints('and is where it should be', status, /^(?![^]*PrimaryOutside)/);

    await lab.sabotage('the Primary sleeps', () => host.sh('virsh suspend team-c'));
    await lab.does('team-c asks for web', () => ask(host, web));
    const live = 'virsh vcpucount team-c --live --active';
    await lab.prints('libvirt sees that the Primary has given a vCPU', live, /^1$/m);
    const defined = 'virsh vcpucount team-c --config --active';
    await lab.prints('for its next start too', defined, /^1$/m);
    await boots(lab, 'web boots', web);
    await says('the Primary itself sees less of both', /1 vCPU, 474 MiB/);
    const group = `/sys/fs/cgroup/unnest.slice/unnest-${slice.replace('/unnest/', '')}.slice`;
    await lab.prints('the kernel holds them together', `cat ${group}/memory.max`, /^872415232$/m);
    lab.timeline.prints(await host.sh(`${status}; unnest top`));

    await lab.does('team-c asks for more, which would take what is reserved for the Primary', () =>
      ask(host, late),
    );
    const keeps = /OverBudget: limits\.vcpus is 2: 2 are used .*the Primary 1/;
    await lab.prints('it is told who has it', 'unnest get --partition team-c', keeps);
    const absent = new RegExp(`^(?![^]*${domainOf(late)} +running)`);
    await lab.prints('nothing more was started', 'virsh list', absent);

    await lab.does('nobody asks for anything any more', async () => {
      await ask(host, { ...web, more: '  runPolicy: Halted\n' });
      await ask(host, { ...late, more: '  runPolicy: Halted\n' });
      await host.sh('unnest retry --partition team-c');
    });
    await lab.prints('libvirt sees that it has got back its vCPU', live, /^2$/m, 300);
    await says('and so does the Primary', /2 vCPU, 704 MiB/);

    await lab.does('the Primary sleeps, and team-c asks for web once more', async () => {
      await host.sh('virsh suspend team-c');
      await ask(host, web);
    });
    const told = 'unnest get --partition team-c; unnest status --partition team-c';
    await lab.prints(
      'it is told that its Primary does not release',
      told,
      /PrimaryNotReleasing/,
      300,
    );
    const noWeb = new RegExp(`^(?![^]*${domainOf(web)} +running)`);
    await lab.prints('and web was not started', 'virsh list', noWeb);
    await lab.does('the Primary wakes', async () => {
      await host.sh('virsh resume team-c; unnest retry --partition team-c');
    });
    await boots(lab, 'and web boots', web, 300);
  },
};
