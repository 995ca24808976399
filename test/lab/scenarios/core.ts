import { ask, boots, domainOf, groupOf, processOf, secondaryYaml } from '../secondaries.ts';
import type { Scenario } from '../scenario.ts';

const web = { partition: 'team-a', name: 'web' };
const spare = { partition: 'team-a', name: 'spare', more: '  runPolicy: Halted\n' };

export const core: Scenario = {
  name: 'core',
  about: 'documents become a VM in its slice, and stay true',
  set: 'quick',
  from: 'installed',
  breaks: 'web runs again after somebody has pulled its plug',
  run: async (lab) => {
    const { host } = lab;
    await host.write('/root/web.yaml', secondaryYaml(web));
    const plan = 'unnest plan --partition team-a -f /root/web.yaml';
    await lab.prints('its plan shows one to create', plan, /Plan: 1 to create/);
    await lab.prints('a plan does nothing', 'virsh list --all', /^(?![^]*unnest\.)/);

    await lab.does('team-a writes documents into its directory', async () => {
      await ask(host, spare);
      await ask(host, web);
    });
    const running = new RegExp(`${domainOf(web)} +running`);
    await lab.prints('libvirt runs it', 'virsh list', running);
    await boots(lab, 'it boots, by its own console', web);
    await lab.prints('systemd-machined knows it', 'machinectl list', /qemu-\d+-unnest/);
    const slice = /^0::\/machine\.slice\/machine-qemu.*web\.scope/;
    await lab.claim(
      'its QEMU is in its scope of machine.slice',
      () => groupOf(host, web),
      (group) => slice.test(group),
    );
    await lab.claim(
      'its QEMU is not root',
      () => host.sh(`stat -c %U /proc/$(cat /run/libvirt/qemu/${domainOf(web)}.pid)`),
      (user) => user.trim() === 'libvirt-qemu',
    );
    await lab.prints('unnest says so, too', 'unnest status', /^team-a +\d+ +Synced +Healthy/m);

    const before = await processOf(host, web);
    await lab.sabotage('unnestd is stopped', () => host.sh('systemctl stop unnestd'));
    await lab.does('somebody pulls its plug', () => host.sh(`virsh destroy ${domainOf(web)}`));
    await lab.becomes({
      claim: 'web runs again after somebody has pulled its plug',
      seconds: 120,
      look: () => processOf(host, web),
      isIt: (now) => now !== '' && now !== before,
    });
    await lab.does('somebody takes its definition away', () =>
      host.sh(`virsh undefine ${domainOf(web)}`),
    );
    await lab.prints('it is defined again', 'virsh list --all --persistent', running);

    await lab.does('team-a removes the document', () =>
      host.sh('rm /etc/unnest/desired/team-a/web.yaml'),
    );
    const gone = new RegExp(`^(?![^]*${domainOf(web)})[^]*${domainOf(spare)}`);
    await lab.prints(
      'libvirt does not know it any more, and knows the other',
      'virsh list --all',
      gone,
    );
  },
};
