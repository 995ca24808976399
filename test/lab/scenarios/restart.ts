import { ask, boots, domainOf, isSynced, processOf } from '../secondaries.ts';
import type { Scenario } from '../scenario.ts';

const web = { partition: 'team-a', name: 'web' };

export const restart: Scenario = {
  name: 'restart',
  about: 'a restart of unnestd leaves running VMs alone',
  set: 'quick',
  from: 'installed',
  breaks: 'web is the very process that it was',
  run: async (lab) => {
    const { host } = lab;
    await lab.does('team-a asks for web', () => ask(host, web));
    await boots(lab, 'it boots', web);
    const before = await processOf(host, web);
    const daemon = 'systemctl show --value --property MainPID unnestd';
    const daemonBefore = await host.sh(daemon);

    await lab.does('systemctl restart unnestd', () => host.sh('systemctl restart unnestd'));
    await lab.sabotage('web is restarted meanwhile', () =>
      host.sh(`virsh destroy ${domainOf(web)}`),
    );
    await lab.claim(
      'unnestd is another process',
      () => host.sh(daemon),
      (now) => now !== daemonBefore,
    );
    await isSynced(lab, 'it has looked, and found all as it should be', web);
    const same = (now: string) => now === before;
    await lab.claim('web is the very process that it was', () => processOf(host, web), same);

    await lab.does('unnestd is killed without a farewell', () =>
      host.sh('systemctl kill -s KILL unnestd'),
    );
    await lab.prints('systemd starts it again', 'systemctl is-active unnestd', /^active/);
    await isSynced(lab, 'it has looked once more', web);
    await lab.claim('and web still is', () => processOf(host, web), same);
  },
};
