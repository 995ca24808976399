import { givePartition, install } from '../install.ts';
import type { Scenario } from '../scenario.ts';
import { ask, boots } from '../secondaries.ts';

const web = { partition: 'team-e', name: 'web' };
/** One of the host's two processors. */
const spec = `  limits: { vcpus: 1, memory: 512MiB, storage: 1GiB, secondaries: 1 }
  guarantees: { cpuset: "1", memory: 256MiB }
`;

const group = '/sys/fs/cgroup/lab.slice/inner';

export const newKernel: Scenario = {
  name: 'new-kernel',
  about: 'a host with a newer kernel can give processors away for good',
  set: 'full',
  from: 'new-kernel',
  breaks: 'a group below others owns a processor',
  run: async (lab) => {
    const { host } = lab;
    await host.run('systemctl is-system-running --wait', '', 300);
    // Remote partitions, of groups whose parents are none, came with 6.7.
    const isNew = (version: string) =>
      Number.parseFloat(version) >= 6.1 && !/^6\.[1-6]\./.test(version);
    await lab.claim('its kernel is 6.7 or newer', () => host.sh('uname -r'), isNew);
    await lab.does('a group is made with cpuset', () =>
      host.sh(
        `mkdir -p ${group} && cd /sys/fs/cgroup && echo +cpuset | tee cgroup.subtree_control lab.slice/cgroup.subtree_control`,
      ),
    );
    await lab.does('it is to have processor 1 for itself', () =>
      host.sh(
        `cd ${group} && for f in ../cpuset.cpus.exclusive cpuset.cpus.exclusive cpuset.cpus; do echo 1 >$f; done`,
      ),
    );
    await lab.sabotage('its parent takes the processor back', () =>
      host.sh(`echo >${group}/../cpuset.cpus.exclusive`),
    );
    await host.run(`echo root >${group}/cpuset.cpus.partition`);
    await lab.prints(
      'a group below others owns a processor',
      `cat ${group}/cpuset.cpus.partition`,
      /^root$/m,
    );
    await lab.prints(
      'nobody else has it',
      'cat /sys/fs/cgroup/system.slice/cpuset.cpus.effective',
      /^0$/m,
    );

    await lab.does('it is given back, and unnest is installed', async () => {
      await host.sh(
        `echo member >${group}/cpuset.cpus.partition && rmdir ${group} /sys/fs/cgroup/lab.slice`,
      );
      await install(host, lab.tarball, lab.timeline);
      await givePartition(host, web.partition, spec);
    });
    await lab.does('a partition has processor 1 for itself', () => ask(host, web));
    await boots(lab, 'its VM boots', web);
    const slice = '/sys/fs/cgroup/unnest.slice/unnest-p*.slice';
    await lab.prints('the kernel keeps it', `cat ${slice}/cpuset.cpus.partition`, /^root$/m);
    await lab.prints(
      'nobody else has it',
      'cat /sys/fs/cgroup/system.slice/cpuset.cpus.effective',
      /^0$/m,
    );
    await lab.prints('and its memory', `cat ${slice}/../memory.min`, /^268435456$/m);
    const said = /CpusGuaranteed +True +KeptByKernel/;
    await lab.prints('unnest says so', `unnest status -p ${web.partition}`, said);
  },
};
