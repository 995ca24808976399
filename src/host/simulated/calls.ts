/** The calls of the ports that a real host could fail. `DomainWatch.next` is none: it only waits. */

const kinds = {
  facts: 'read',
  list: 'read',
  read: 'read',
  usage: 'read',
  watch: 'read',
  cids: 'read',
  askAgent: 'read',
  define: 'write',
  undefine: 'write',
  start: 'write',
  resume: 'write',
  shutdown: 'write',
  shutdownByAgent: 'write',
  powerOff: 'write',
  noteStop: 'write',
  noteReady: 'write',
  attachDisk: 'write',
  detachDisk: 'write',
  growDisk: 'write',
  setMemory: 'write',
  console: 'read',
  size: 'read',
  'volumes.store': 'read',
  'volumes.list': 'read',
  'volumes.read': 'read',
  'volumes.create': 'write',
  'volumes.grow': 'write',
  'volumes.setDeletionPolicy': 'write',
  'volumes.delete': 'write',
  'images.list': 'read',
  'images.read': 'read',
  'images.verify': 'write',
  'images.import': 'write',
  'images.delete': 'write',
  catalogueSize: 'read',
  'intakes.list': 'read',
  'intakes.read': 'read',
  'intakes.create': 'write',
  'intakes.append': 'write',
  'intakes.takeOut': 'write',
  'intakes.delete': 'write',
  'imageDisks.find': 'read',
  'imageDisks.create': 'write',
  'imageDisks.rework': 'write',
  'imageDisks.delete': 'write',
  'seeds.list': 'read',
  'seeds.read': 'read',
  'seeds.create': 'write',
  'seeds.delete': 'write',
  'networks.find': 'read',
  'networks.define': 'write',
  'networks.start': 'write',
  'networks.stop': 'write',
  'networks.undefine': 'write',
  'networks.reserve': 'write',
  'networks.unreserve': 'write',
  'primaries.find': 'read',
  'uplinks.of': 'read',
  'vmRuns.of': 'read',
  'primaries.setVcpus': 'write',
  'primaries.setMemory': 'write',
  'primaries.plug': 'write',
  'primaries.unplug': 'write',
  'primaries.lend': 'write',
  'primaries.takeBack': 'write',
  'filters.find': 'read',
  'filters.apply': 'write',
  'filters.close': 'write',
  'filters.remove': 'write',
  'slices.find': 'read',
  'slices.contains': 'read',
  'slices.apply': 'write',
  'slices.remove': 'write',
  'installation.read': 'read',
  'installation.record': 'write',
} as const;

export type CallName = keyof typeof kinds;

export interface Call {
  /** From 0, in the order in which they were made. */
  readonly index: number;
  readonly name: CallName;
  /**
   * Those it is about: domains by their libvirt names, a file by its own, and `volume data`,
   * `image debian`, `seed web.0123...`, `network unnest.team-a`, `secondary web`.
   */
  readonly subjects: readonly string[];
  readonly writes: boolean;
}

export function isWrite(name: CallName): boolean {
  return kinds[name] === 'write';
}
