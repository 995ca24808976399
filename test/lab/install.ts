/** unnest is put on the lab's host as its README tells a user to, and given two partitions. */
import { readFileSync } from 'node:fs';
import type { Host } from './host.ts';
import { primaries } from './primaries.ts';
import type { Timeline } from './timeline.ts';

export async function install(host: Host, tarball: string, timeline: Timeline): Promise<void> {
  await putPackage(host, tarball, timeline);
  // Scenarios read and type on serial ports by hand, and one pty has one reader.
  await host.sh(
    "sed -i 's/^spec: {}$/spec: { consoleLogs: false }/' /etc/unnest/unnestd.yaml && grep -q consoleLogs /etc/unnest/unnestd.yaml",
  );
  await host.sh('systemctl enable --now unnestd');
  const { stdout } = await host.run('systemd-analyze security unnestd --no-pager');
  timeline.does(`systemctl start unnestd. ${stdout.trim().split('\n').at(-1)}`);
  for (const { name } of primaries) await givePartition(host, name);
  timeline.prints(await host.sh('unnest status'));
}

/** On a machine that has other things to do it took three minutes. */
const installSecondsMax = 600;

/** The same for an upgrade, but for the restart. */
export async function putPackage(host: Host, tarball: string, timeline: Timeline): Promise<void> {
  await host.write('/root/unnest.tgz', readFileSync(tarball));
  const install = 'npm install --global --offline --no-audit --no-fund /root/unnest.tgz';
  await host.sh(install, '', installSecondsMax);
  timeline.does(`npm install --global: unnest ${(await host.sh('unnest --version')).trim()}`);
  timeline.prints(await host.sh('unnest host install'));
}

/** The operator's half: a partition, and a kernel for whoever boots from one. */
export async function givePartition(host: Host, name: string, more = ''): Promise<void> {
  const files = `/var/lib/unnest/${name}/files`;
  await host.sh(`install -d ${files} && cp /var/lib/lab/{vmlinuz,initrd.img} ${files}/`);
  await host.write(`/etc/unnest/partitions/${name}.yaml`, partitionYaml(name, more));
  const known = new RegExp(`^${name} `, 'm');
  await host.becomes(host.printing(`unnestd knows of ${name}`, 'unnest status', known, 180));
}

/** @param more of its spec, indented by two */
export function partitionYaml(name: string, more = ''): string {
  return `apiVersion: unnest.dev/v1
kind: Partition
metadata: { name: ${name} }
spec:
  source: Directory
${more}`;
}
