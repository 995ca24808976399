import { ask, bootOf, domainOf, processOf } from '../secondaries.ts';
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
    const { line, booted } = bootOf(web);
    await lab.prints('it boots', line, booted, 120);
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
    const synced = 'unnest wait --partition team-a --for synced --timeout 60 && echo yes';
    await lab.prints('it has looked, and found all as it should be', synced, /^yes/m, 90);
    const same = (now: string) => now === before;
    await lab.claim('web is the very process that it was', () => processOf(host, web), same);

    await lab.does('unnestd is killed without a farewell', () =>
      host.sh('systemctl kill -s KILL unnestd'),
    );
    await lab.prints('systemd starts it again', 'systemctl is-active unnestd', /^active/);
    await lab.prints('it has looked once more', synced, /^yes/m, 90);
    await lab.claim('and web still is', () => processOf(host, web), same);
  },
};
