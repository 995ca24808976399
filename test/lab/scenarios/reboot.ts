import { ask, boots, domainOf } from '../secondaries.ts';
import type { Scenario } from '../scenario.ts';

const web = { partition: 'team-a', name: 'web' };
const manual = { partition: 'team-b', name: 'batch', more: '  runPolicy: Manual\n' };

export const reboot: Scenario = {
  name: 'reboot',
  about: 'a reboot of the host brings back what should run, and only that',
  set: 'quick',
  from: 'installed',
  breaks: 'web boots again',
  run: async (lab) => {
    const { host } = lab;
    await lab.does('team-a asks for web, which always runs', () => ask(host, web));
    await lab.does('team-b asks for batch, which runs when told to', () => ask(host, manual));
    await boots(lab, 'web boots', web);
    const off = new RegExp(`${domainOf(manual)} +shut off`);
    await lab.prints('batch is there, and off', 'virsh list --all', off);
    await lab.does('batch is started by hand', () => host.sh(`virsh start ${domainOf(manual)}`));

    await lab.sabotage('unnestd is not to start at boot', () =>
      host.sh('systemctl disable unnestd'),
    );
    await lab.does('the host reboots', () => host.reboot());
    await lab.prints('libvirt answers again', 'virsh list --all', off);
    await boots(lab, 'web boots again', web, 300);
    await lab.prints('batch stays off', 'virsh list --all', off);
    await lab.prints(
      'unnest says that all is as it should be',
      'unnest status',
      /team-a +1 +Synced +Healthy/,
    );
  },
};
