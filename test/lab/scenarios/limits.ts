import { partitionYaml } from '../install.ts';
import { ask, boots, domainOf, groupOf, isAbsent, isSynced } from '../secondaries.ts';
import type { Scenario } from '../scenario.ts';

const web = { partition: 'team-a', name: 'web' };
const large = { partition: 'team-a', name: 'large', vcpus: 2 };
const other = { partition: 'team-b', name: 'other' };

const limits = '  limits: { vcpus: 2, memory: 1GiB, storage: 1GiB, secondaries: 4 }\n';
const look = 'unnest retry --partition team-a';

/** Eats memory until it is killed, inside a slice. */
const eat = (slice: string) =>
  `systemd-run --quiet --wait --slice=${slice} perl -e 'push @x, "x" x 2**20 while 1'`;

/** 32 MiB that nothing makes smaller, in the store of team-a, and their digest. */
const makeImage = `cd /var/lib/unnest/team-a/files && head -c 32M /dev/urandom >/root/raw
qemu-img convert -f raw -O qcow2 /root/raw disk.qcow2 && rm /root/raw
sha256sum disk.qcow2 | cut -d ' ' -f 1 | tr -d '\\n'`;

const imageYaml = (digest: string) => `apiVersion: unnest.dev/v1
kind: Image
metadata: { name: disk }
spec: { digest: "sha256:${digest}", format: qcow2, source: { file: disk.qcow2 } }
`;

/** Group, user and network of every qemu-img, for as long as it runs. */
const watch = `cat >/root/watch <<'END'
while :; do
  for at in /proc/[0-9]*; do
    case " $seen " in *" $at "*) continue ;; esac
    read -r name <$at/comm && [ "$name" = qemu-img ] && kill -STOP \${at#/proc/} || continue
    seen="$seen $at"
    read -r group <$at/cgroup
    user=$(awk '/^Uid/ { print $2 }' $at/status)
    net=$(readlink $at/ns/net) && echo "$group $user $net"
    kill -CONT \${at#/proc/}
  done
done 2>/dev/null
END
rm -f /root/watched; systemd-run --quiet --unit=watch --property=StandardOutput=file:/root/watched bash /root/watch`;

export const limitsHold: Scenario = {
  name: 'limits',
  about: 'the kernel holds a partition to its limits, and its neighbour notices nothing',
  set: 'quick',
  from: 'installed',
  breaks: 'the kernel shows limits.memory',
  run: async (lab) => {
    const { host } = lab;
    await lab.does('the operator limits team-a', () =>
      host.write('/etc/unnest/partitions/team-a.yaml', partitionYaml('team-a', limits)),
    );
    await lab.does('both partitions ask for a VM', async () => {
      await ask(host, web);
      await ask(host, other);
    });
    await boots(lab, 'it boots', web);
    await boots(lab, "and so does team-b's", other);
    const inSlice = /^0::\/unnest\.slice\/(unnest-p[0-9a-f]{12}\.slice)\/machine-qemu.*web\.scope/;
    const group = await lab.claim(
      'its QEMU is in the slice of team-a',
      () => groupOf(host, web),
      (seen) => inSlice.test(seen),
    );
    const slice = inSlice.exec(group)?.[1] ?? '';
    const folder = `/sys/fs/cgroup/unnest.slice/${slice}`;
    const threads = `cat /proc/$(cat /run/libvirt/qemu/${domainOf(web)}.pid)/task/*/cgroup`;
    await lab.prints('and so is every thread of it', `${threads} | grep -vc ${slice}; true`, /^0/);
    await lab.claim(
      "team-b's is not",
      () => groupOf(host, other),
      (seen) => !seen.includes('unnest.slice'),
    );

    // Whoever would set it right is gone before.
    await lab.sabotage('somebody takes the limit away for good', () =>
      host.sh(
        `systemctl stop unnestd && systemctl set-property --runtime ${slice} MemoryMax=infinity`,
      ),
    );
    const shows = (claim: string, file: string, text: RegExp) =>
      lab.prints(claim, `cat ${folder}/${file}`, text);
    await shows('the kernel shows limits.memory', 'memory.max', /^1073741824$/m);
    await shows('and no swap', 'memory.swap.max', /^0$/m);
    await shows('and limits.vcpus', 'cpu.max', /^200000 100000$/m);
    await shows('and a bound on processes', 'pids.max', /^514$/m);
    await lab.does('systemctl daemon-reload', () => host.sh('systemctl daemon-reload'));
    await shows('which a daemon-reload leaves alone', 'memory.max', /^1073741824$/m);
    await lab.does('somebody takes the limit away after all', () =>
      host.sh(`systemctl set-property --runtime ${slice} MemoryMax=infinity && ${look}`),
    );
    await shows('the next look sets it right', 'memory.max', /^1073741824$/m);

    await lab.does('team-a asks for more than it has', () => ask(host, large));
    const refusal = /OverBudget: limits\.vcpus is 2: 1 are used \(web 1\), it asks for 2/;
    await lab.prints('it is told exactly why not', 'unnest get --partition team-a', refusal);
    const workers = `for pid in $(pgrep -f '^/node '); do cat /proc/$pid/cgroup /proc/$pid/oom_score_adj | paste -s; done`;
    const paid = new RegExp(
      `^0::/unnest\\.slice/${slice}/unnest-worker-[0-9a-f]+\\.scope\\s1000$`,
      'm',
    );
    await lab.prints('whoever has read that runs in the slice, and is first to go', workers, paid);
    await shows(
      'with a little memory of its own',
      'unnest-worker-*.scope/memory.min',
      /^33554432$/m,
    );
    await isAbsent(lab, 'libvirt has not heard of it', large);

    const digest = await host.sh(makeImage);
    await host.sh(watch);
    await lab.does('team-a asks for an Image of a qcow2', () =>
      host.write('/etc/unnest/desired/team-a/disk.yaml', imageYaml(digest)),
    );
    await lab.prints('it is made', 'unnest get --kind images --partition team-a', /^disk +Ready/m);
    const own = (await host.sh('readlink /proc/1/ns/net')).trim();
    await lab.claim(
      'whoever has looked into it was nobody, without a network, and in the slice',
      () => host.sh('systemctl stop watch; sort -u /root/watched'),
      (seen) => {
        const lines = seen.trimEnd().split('\n');
        const inSandbox = new RegExp(
          `^0::/unnest\\.slice/${slice}/unnest-images-[0-9a-f]+\\.scope 65534 net:\\[\\d+\\]$`,
        );
        return lines.every((line) => inSandbox.test(line) && !line.endsWith(own));
      },
    );
    lab.timeline.prints(await host.sh('unnest status; unnest status --partition team-a'));

    await lab.claim(
      'what eats memory without end in the slice is killed',
      () => host.run(eat(slice), '', 300),
      // What systemd-run says of a service that a signal has ended.
      ({ code }) => code === 1,
    );
    await shows('the kernel has killed it', 'memory.events', /^oom_kill [1-9]/m);
    await lab.does('unnestd looks again', () => host.sh(look));
    const said = /OomKilled +True +MemoryLimit: memory ran out/;
    await lab.prints('it was killed, and team-a is told', 'unnest status --partition team-a', said);
    await lab.prints(
      "team-b's still runs",
      'virsh list',
      new RegExp(`${domainOf(other)} +running`),
    );

    // And does not come before who ran there, though its name does.
    await lab.does('the host is booted anew', () => host.reboot());
    await boots(lab, 'it boots again', web, 300);
    await isSynced(lab, 'team-b is as it was', other);
    await shows('in its slice, which has its limits', 'memory.max', /^1073741824$/m);
    await isAbsent(lab, 'and nobody else has come in its place', large);
    await lab.prints('and it is in it', `cat ${folder}/cgroup.events`, /^populated 1$/m);
  },
};
