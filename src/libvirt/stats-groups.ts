/** Groups of statistics, by libvirt's bits. */
const groups = {
  state: 1,
  cpuTotal: 2,
  balloon: 4,
  vcpu: 8,
  interface: 16,
  block: 32,
  perf: 64,
  iothread: 128,
  memory: 256,
  dirtyRate: 512,
  vm: 1024,
} as const;

export type StatsGroup = keyof typeof groups;

/** The bits of the named groups; 0, which means all, for none. */
export function statsGroups(names: readonly StatsGroup[] = []): number {
  let bits = 0;
  for (const name of names) bits |= groups[name];
  return bits;
}
