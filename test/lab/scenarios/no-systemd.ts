import { ask, boots, domainOf, groupOf, processOf } from '../secondaries.ts';
import type { Scenario } from '../scenario.ts';

const web = { partition: 'team-a', name: 'web' };

export const noSystemd: Scenario = {
  name: 'no-systemd',
  about: 'a host without systemd does as well',
  set: 'quick',
  from: 'installed',
  boot: 'init=/usr/local/sbin/lab-init',
  breaks: 'it boots, by its own console',
  run: async (lab) => {
    const { host } = lab;
    await lab.prints('the first process is not systemd', 'cat /proc/1/comm', /^lab-init/);
    await lab.prints('libvirtd answers', 'virsh uri', /qemu:/);
    await lab.does('unnestd starts, as any program does', () =>
      host.sh('mkdir -p /run/unnest; setsid unnestd >/var/log/unnestd.log 2>&1 </dev/null &'),
    );
    await lab.prints('it answers', 'unnest status', /^team-a /m);
    await lab.sabotage('there is no libvirtd', () => host.sh('pkill libvirtd'));
    await lab.does('team-a writes a document into its directory', () => ask(host, web));
    await boots(lab, 'it boots, by its own console', web);
    const group = /^0::\/machine\/qemu-\d+-unnest\.team-a\.web\.libvirt-qemu/;
    await lab.claim(
      'its QEMU is in its group below /machine',
      () => groupOf(host, web),
      (seen) => group.test(seen),
    );

    const before = await processOf(host, web);
    await lab.does('unnestd is told to end', () => host.sh("pkill -TERM -f '^node .*unnestd'"));
    await lab.prints('it does', "pgrep -f '^node .*unnestd' | wc -l", /^0/);
    await lab.claim(
      'web is the very process that it was',
      () => processOf(host, web),
      (now) => now === before,
    );
    await lab.prints('and runs', 'virsh list', new RegExp(`${domainOf(web)} +running`));
  },
};
