/**
 * What of a failure is the emulation's: SVM under emulation now and then has a processor or a process give
 * up, in the host or in a guest. Such a run counts for nothing. Nothing that a defect of unnest makes
 * programs say stands here, as a defect would then be tried again; one that is always there fails all the same.
 */

/** Of the emulation, and so of nothing that is to be shown. */
export class HostGaveUp extends Error {}

/**
 * What a kernel says of itself, and of no program: Documentation/RCU/stallwarn.rst,
 * Documentation/admin-guide/lockup-watchdogs.rst, `khungtaskd`, and `__die` with the number of the death.
 */
const gaveUp = [
  'detected (?:expedited )?stalls?',
  'soft lockup',
  String.raw`\bBUG:`,
  String.raw`: [0-9a-f]{4} \[#\d+\]`,
  'blocked for more than',
  'Kernel panic',
].join('|');

/** @returns from where a kernel's console says so on; null: it does not */
export function lastWords(console: string): string | null {
  const said = new RegExp(`^.*(?:${gaveUp})[^]{0,1500}`, 'm').exec(console);
  return said === null ? null : said[0].trimEnd();
}

/** Of a Primary. */
const deaths = [
  'serves no more',
  String.raw`: [0-9a-f]{4} \[#[0-9]+\]`,
  'Kernel panic',
  String.raw`(perl|client\.pl|busybox|sh)\[[0-9]+\]: segfault`,
].join('|');

/**
 * Prints the Primaries that have begun anew without anybody's having started them, and those whose kernel
 * or guest kit has died. A stall is none, as some are put to sleep on purpose; nor is the end of Node.js.
 *
 * @param consoles what they have said since their states were saved
 * @param qemu libvirt's own logs
 */
export const lostPrimaries = (consoles = '/var/log/lab', qemu = '/var/log/libvirt/qemu') =>
  `cd ${consoles} && for log in *.log; do
  name=$(basename $log .log)
  [ -e $log ] && [ -e ${qemu}/$name.log ] || continue
  booted=$(grep -c "^unnest-guest $name booted" $log)
  started=$(grep -c 'starting up' ${qemu}/$name.log)
  [ "$booted" -le "$started" ] || echo "$name has begun anew"
  said=$(grep -aE '${deaths}' $log | tail -n 3)
  [ -z "$said" ] || echo "$name: $said"
done`;
