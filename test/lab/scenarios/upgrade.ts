import { readFileSync } from 'node:fs';
import { packed } from '../built.ts';
import { install, putPackage } from '../install.ts';
import type { Scenario } from '../scenario.ts';
import { ask, boots, domainOf, isSynced, processOf } from '../secondaries.ts';

const web = { partition: 'team-a', name: 'web' };

/** The last line names the commit; what stands above says why it is this one. */
const from = readFileSync('test/lab/upgrade-from', 'utf8').trim().split('\n').at(-1)!;

export const upgrade: Scenario = {
  name: 'upgrade',
  about: `from ${from.slice(0, 10)} to this checkout, without touching what runs`,
  set: 'full',
  from: 'tenants',
  breaks: 'web is the very process that it was',
  run: async (lab) => {
    const { host, timeline } = lab;
    await install(host, packed(from), timeline);
    await lab.does('team-a asks for web', () => ask(host, web));
    await boots(lab, 'it boots', web);
    const before = await processOf(host, web);

    await putPackage(host, lab.tarball, timeline);
    await lab.does('systemctl restart unnestd', () => host.sh('systemctl restart unnestd'));
    await lab.sabotage('web is restarted meanwhile', () =>
      host.sh(`virsh destroy ${domainOf(web)}`),
    );
    await isSynced(lab, 'the new unnestd has looked, and found all as it should be', web);
    const same = (now: string) => now === before;
    await lab.claim('web is the very process that it was', () => processOf(host, web), same);
    const plan = 'unnest plan --partition team-a -f /etc/unnest/desired/team-a';
    await lab.prints('the new version has nothing to change', plan, /No changes/);
  },
};
