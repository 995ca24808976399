import type { Host } from '../host.ts';
import { partitionYaml } from '../install.ts';
import type { Scenario } from '../scenario.ts';
import { ask, boots, domainOf, groupOf, told, type Wanted } from '../secondaries.ts';

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
/** Of work beside a tenant that is idle, and beside the same one at its worst, in turns. */
const turns = 9;
const rounds = 20_000;
/** How much longer the neighbour's work may take: a tenth less gets done. */
const longerMax = 1 / 0.9;

/** In seconds, by the clock of the host. */
async function workTakes(host: Host): Promise<number> {
  const answer = `unnest-guest ${counter.name} answer `;
  const nanoseconds = await host.sh(
    `exec 3<>$(virsh ttyconsole ${domainOf(counter)})
    began=$(date +%s%N)
    printf 'do GET /work?rounds=${rounds}\\n' >&3
    timeout 60 sed -n '/${answer}/q' <&3
    echo $(($(date +%s%N) - began))`,
  );
  return Number(nanoseconds) / 1e9;
}

/** What the host's own programs have taken, libvirtd and dnsmasq among them, in seconds of a CPU. */
async function outsideSeconds(host: Host): Promise<number> {
  const line = "awk '/^usage_usec/ { print $2 }' /sys/fs/cgroup/system.slice/cpu.stat";
  return Number(await host.sh(line)) / 1e6;
}

interface Beside {
  readonly took: number[];
  outside: number;
}

/** @param folder of the hostile tenant's slice */
async function inTurns(host: Host, folder: string): Promise<{ idle: Beside; hostile: Beside }> {
  const seen = { idle: { took: [], outside: 0 }, hostile: { took: [], outside: 0 } };
  for (let turn = 0; turn < turns; turn += 1) {
    for (const [how, frozen] of [
      ['idle', 1],
      ['hostile', 0],
    ] as const) {
      await host.sh(`echo ${frozen} > ${folder}/cgroup.freeze; sleep 1`);
      const before = await outsideSeconds(host);
      (seen[how].took as number[]).push(await workTakes(host));
      seen[how].outside += (await outsideSeconds(host)) - before;
    }
  }
  return seen;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[(numbers.length - 1) / 2] ?? Number.NaN;
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
        `systemctl stop unnestd && systemctl set-property --runtime ${slice} CPUQuota= AllowedCPUs=0-1 CPUWeight=2`,
      ),
    );

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
    const folder = `/sys/fs/cgroup/unnest.slice/${slice}`;
    const { idle, hostile: worst } = await inTurns(host, folder);
    const [alone, beside] = [median(idle.took), median(worst.took)];
    const all = (took: readonly number[]) => took.map((each) => each.toFixed(2)).join(' ');
    lab.timeline.prints(
      `the neighbour's work takes ${alone.toFixed(2)} s beside an idle tenant, ${beside.toFixed(2)} s beside a hostile one (medians of ${turns})
idle:    ${all(idle.took)}
hostile: ${all(worst.took)}
the host's own programs took ${idle.outside.toFixed(2)} and ${worst.outside.toFixed(2)} s of a CPU meanwhile`,
    );
    lab.timeline.prints(
      await host.sh(`cd ${folder} && grep -H . cpu.stat memory.events pids.events`),
    );
    await lab.claim(
      'the neighbour gets as much done, less a tenth at most',
      async () => beside / alone,
      (longer) => longer <= longerMax,
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
