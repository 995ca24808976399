/** What scenarios ask for, and how the kernel and libvirt tell of it: witnesses that are not ours. */
import type { Host } from './host.ts';
import type { Lab } from './scenario.ts';

export interface Wanted {
  readonly partition: string;
  readonly name: string;
  readonly vcpus?: number;
  /** More of the kernel's command line. */
  readonly words?: string;
  readonly more?: string;
}

/** A Secondary that boots the guest kit from its partition's files. */
export function secondaryYaml({ name, vcpus = 1, words = '', more = '' }: Wanted): string {
  return `apiVersion: unnest.dev/v1
kind: Secondary
metadata: { name: ${name} }
spec:
  vcpus: ${vcpus}
  memory: 128MiB
  boot:
    kernel:
      file: vmlinuz
      initrd: initrd.img
      commandLine: console=ttyS0 quiet unnest.name=${name} ${words}
${more}`;
}

/** By the tenant's hand: a file in the directory that unnestd watches, renamed into its place. */
export async function ask(host: Host, wanted: Wanted): Promise<void> {
  const directory = `/etc/unnest/desired/${wanted.partition}`;
  await host.sh(`mkdir -p ${directory}`);
  await host.write(`${directory}/.${wanted.name}`, secondaryYaml(wanted));
  await host.sh(`mv ${directory}/.${wanted.name} ${directory}/${wanted.name}.yaml`);
}

export function domainOf({ partition, name }: Wanted): string {
  return `unnest.${partition}.${name}`;
}

/** Whether it runs and since when, as libvirt's pid file and the kernel tell: `PID STARTED`, or nothing. */
export async function processOf(host: Host, wanted: Wanted): Promise<string> {
  const file = `/run/libvirt/qemu/${domainOf(wanted)}.pid`;
  const { stdout } = await host.run(`p=$(cat ${file}) && echo $p $(cut -d' ' -f22 /proc/$p/stat)`);
  return stdout.trim();
}

/** The control group of its QEMU, as the kernel tells. */
export async function groupOf(host: Host, wanted: Wanted): Promise<string> {
  return (
    await host.sh(`cat /proc/$(cat /run/libvirt/qemu/${domainOf(wanted)}.pid)/cgroup`)
  ).trim();
}

/** Claims that it boots, by its own words on its serial console. */
export function boots(
  lab: Lab,
  claim: string,
  { partition, name }: Wanted,
  seconds = 180,
): Promise<string> {
  const line = `timeout 60 unnest console ${name} --partition ${partition} --lines 1 --timeout 45`;
  return lab.hears(claim, line, new RegExp(`^unnest-guest ${name} (booted|up)`, 'm'), seconds);
}

/** Claims that libvirt runs it. */
export function runs(lab: Lab, claim: string, wanted: Wanted): Promise<string> {
  return lab.prints(claim, 'virsh list', new RegExp(`${domainOf(wanted)} +running`), 240);
}

/** Claims that libvirt comes to have no such domain. */
export function isAbsent(lab: Lab, claim: string, wanted: Wanted): Promise<string> {
  const not = new RegExp(`^ Id +Name(?![^]*${domainOf(wanted)})`);
  return lab.prints(claim, 'virsh list --all', not, 240);
}

/** Claims that unnestd has looked, and found the partition as it should be. */
export function isSynced(lab: Lab, claim: string, { partition }: Wanted) {
  const line = `unnest wait --partition ${partition} --for synced --timeout 60 && echo yes`;
  return lab.prints(claim, line, /^yes/m, 180);
}

/**
 * What a Secondary answers that has `unnest.do=client` among its words, over its serial console.
 * @param command `METHOD PATH`, as `client.pl` takes it
 */
export async function told(
  host: Host,
  wanted: Wanted,
  command: string,
  seconds = 30,
): Promise<string> {
  const answer = `unnest-guest ${wanted.name} answer `;
  const said = await host.sh(
    `exec 3<>$(virsh ttyconsole ${domainOf(wanted)})
    printf 'do %s\\n' '${command}' >&3
    timeout ${seconds} sed -n '/${answer}/{p;q}' <&3`,
  );
  const at = said.indexOf(answer);
  if (at === -1) throw new Error(`${wanted.name} does not answer ${command}`);
  return said.slice(at + answer.length).trim();
}
