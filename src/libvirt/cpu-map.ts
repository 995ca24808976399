/** As many host CPUs as libvirtd takes in one map. */
const cpusMax = 16_384;

/** A set of CPU numbers as libvirt wants it: bit n of byte n / 8, lowest bit first. */
export function cpuMap(cpus: readonly number[]): Uint8Array {
  const highest = Math.max(-1, ...cpus);
  if (highest < 0) throw new RangeError('a set of CPUs must not be empty');
  if (highest >= cpusMax || cpus.some((cpu) => !Number.isInteger(cpu) || cpu < 0)) {
    throw new RangeError(`CPU numbers go from 0 to ${cpusMax - 1}`);
  }
  const map = new Uint8Array(Math.floor(highest / 8) + 1);
  for (const cpu of cpus) {
    const byte = Math.floor(cpu / 8);
    map[byte] = (map[byte] ?? 0) | (1 << (cpu % 8));
  }
  return map;
}
