/** The domains of a partition as virsh tells of them, which is an independent witness. */
import { run, virsh } from './cli.ts';

/** libvirt's word: `NAME ID STATE` of each domain of the partition, sorted. */
export async function domainsOf(partition: string): Promise<readonly string[]> {
  const lines = (await virsh('list', '--all')).split('\n').map((line) => line.trim().split(/\s+/));
  return lines
    .filter(([, name]) => name?.startsWith(`unnest.${partition}.`))
    .map(([id, name = '', ...state]) => `${name.split('.').at(-1)} ${id} ${state.join(' ')}`)
    .sort();
}

export async function removeDomainsOf(partition: string): Promise<void> {
  for (const line of await domainsOf(partition)) {
    const name = `unnest.${partition}.${line.split(' ')[0]}`;
    await run('virsh', ['--quiet', 'destroy', name]);
    await run('virsh', ['--quiet', 'undefine', name]);
  }
}
