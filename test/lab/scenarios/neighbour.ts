import type { Host } from '../host.ts';
import { partitionYaml } from '../install.ts';
import type { Scenario } from '../scenario.ts';
import { ask, boots, groupOf, told, type Wanted } from '../secondaries.ts';

const words = 'unnest.do=client unnest.every=5';
const hostile: Wanted = {
  partition: 'team-a',
  name: 'hostile',
  words,
  more: '  network: Partition\n',
};
const counter: Wanted = { partition: 'team-b', name: 'counter', words };

/** A CPU of the host's two to each of the two. */
const limits = (
  cpu: number,
) => `  limits: { vcpus: 1, memory: 768MiB, storage: 1GiB, secondaries: 2 }
  guarantees: { cpuset: "${cpu}", memory: 512MiB }
  network: { cidr: 10.9${cpu}.0.0/24 }
`;
const windows = 9;
const windowSeconds = 4;
/** By how much the neighbour's median may fall: design.md, the numbers that we promise. */
const fallMax = 0.1;

interface Seen {
  /** The median of what the neighbour's guest gets done in a window, in rounds of a loop. */
  readonly rounds: number;
  /** What the host's own programs took meanwhile, libvirtd and dnsmasq among them, in CPUs. */
  readonly outsideCpus: number;
}

const outsideUs = async (host: Host): Promise<number> =>
  Number(await host.sh("awk '/^usage_usec/ { print $2 }' /sys/fs/cgroup/system.slice/cpu.stat"));

async function look(host: Host): Promise<Seen> {
  const counts: number[] = [];
  const [began, usedBefore] = [performance.now(), await outsideUs(host)];
  for (let window = 0; window < windows; window += 1) {
    const answer = await told(host, counter, `GET /count?seconds=${windowSeconds}`, 20);
    counts.push(Number(/^200 (\d+)$/.exec(answer)?.[1]));
  }
  const [ms, usedUs] = [performance.now() - began, (await outsideUs(host)) - usedBefore];
  const rounds = counts.sort((a, b) => a - b)[(windows - 1) / 2] ?? Number.NaN;
  return { rounds, outsideCpus: usedUs / (ms * 1000) };
}

/**
 * What somebody can do who has broken out of the guest and into its QEMU: many processes that burn,
 * many that are started over and over, and one that eats all the memory that there is.
 */
const broken = (slice: string) =>
  [
    'while :; do :; done',
    'while :; do /bin/true; done',
    'while :; do perl -e "push @x, 1 x 2**20 while 1"; done',
  ]
    .flatMap((line) => [line, line])
    .map((line, at) => {
      const run = `systemd-run --quiet --collect --unit=hostile-${at} --slice=${slice}`;
      return `${run} --property=OOMPolicy=continue sh -c '${line}'`;
    })
    .join('\n');

export const neighbour: Scenario = {
  name: 'neighbour',
  about: 'a hostile Secondary, and a hostile QEMU, take no throughput from a neighbour',
  set: 'full',
  from: 'installed',
  breaks: 'the neighbour gets as much done',
  run: async (lab) => {
    const { host } = lab;
    await lab.does('the operator gives both partitions a CPU each', async () => {
      for (const [cpu, name] of ['team-a', 'team-b'].entries()) {
        await host.write(`/etc/unnest/partitions/${name}.yaml`, partitionYaml(name, limits(cpu)));
      }
    });
    await lab.does('both ask for a VM', async () => {
      await ask(host, hostile);
      await ask(host, counter);
    });
    await boots(lab, "the hostile tenant's boots", hostile);
    await boots(lab, "and so does the neighbour's", counter);
    const slice = /unnest-p[0-9a-f]{12}\.slice/.exec(await groupOf(host, hostile))?.[0] ?? '';
    // It would take as much as it can get, and as often as it likes.
    await lab.sabotage('nothing holds the hostile tenant', () =>
      host.sh(
        `systemctl stop unnestd && systemctl set-property --runtime ${slice} CPUQuota= CPUWeight=10000 AllowedCPUs=`,
      ),
    );

    await lab.does('the neighbour works, and the hostile tenant is idle', async () => {});
    const idle = await look(host);
    await lab.does(
      'the hostile guest burns, forks, eats and floods, and so does its QEMU',
      async () => {
        // Of each that is killed the kernel tells its console, which is slow here and stops every CPU.
        await host.sh('dmesg --console-level emerg');
        await told(host, hostile, 'POST /burn?seconds=600&vcpus=4');
        await told(host, hostile, 'POST /fork?count=50');
        await told(host, hostile, 'POST /eat?mib=40', 20);
        await told(host, hostile, 'POST /flood?seconds=600&to=10.90.0.1');
        await host.sh(broken(slice));
      },
    );
    const beside = await look(host);
    const fall = 1 - beside.rounds / idle.rounds;
    lab.timeline.prints(
      `median rounds in ${windowSeconds} s: ${idle.rounds} beside an idle tenant, ${beside.rounds} beside a hostile one: ` +
        `${(100 * fall).toFixed(1)} % less; the host's own programs took ` +
        `${idle.outsideCpus.toFixed(2)} and ${beside.outsideCpus.toFixed(2)} CPUs`,
    );
    const kernel = `cd /sys/fs/cgroup/unnest.slice/${slice} && grep -H . cpu.stat memory.events pids.events`;
    lab.timeline.prints(await host.sh(kernel));
    await lab.claim(
      'the neighbour gets as much done, less a tenth at most',
      async () => fall,
      (seen) => seen <= fallMax,
    );
    await lab.prints(
      'the hostile tenant was throttled',
      `cat /sys/fs/cgroup/unnest.slice/${slice}/cpu.stat`,
      /^nr_throttled [1-9]/m,
    );
    await lab.prints(
      'and killed at its limit',
      `cat /sys/fs/cgroup/unnest.slice/${slice}/memory.events`,
      /^oom_kill [1-9]/m,
    );
  },
};
