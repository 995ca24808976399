/** A volume group in memory, with a thin pool, behind the port of LVM: for what happens when a command fails, or we do. */
import { setTimeout as sleep } from 'node:timers/promises';
import { HostError } from '../../src/host/host-error.ts';
import type { LogicalVolume, Lvm, LvmVerb } from '../../src/host/local/lvm.ts';

export const MEMORY_POOL = { group: 'vg', pool: 'thin' };
const extentBytes = 4 * 2 ** 20;

/** What is to become of a change: null, it is carried out. */
export type Spoil = (verb: LvmVerb, count: number) => 'before' | 'after' | null;

export interface MemoryLvm extends Lvm {
  readonly volumes: Map<string, LogicalVolume>;
  /** Somebody has these open. */
  readonly open: Set<string>;
  readonly done: string[];
  spoil: Spoil;
  /** How much there is of what is made empty: of a thin device that a crash has left, more than nothing. */
  madePercent: number;
}

export function memoryLvm(poolBytes = 2 ** 30): MemoryLvm {
  const pool: LogicalVolume = {
    name: MEMORY_POOL.pool,
    sizeBytes: poolBytes,
    tags: [],
    pool: null,
    isThinPool: true,
    isZeroing: true,
    chunkBytes: 2 ** 16,
    isOrigin: false,
    health: '',
    isActive: true,
    dataPercent: 0,
    metadataPercent: 10,
  };
  let count = 0;
  const lvm: MemoryLvm = {
    volumes: new Map([[pool.name, pool]]),
    open: new Set(),
    done: [],
    spoil: () => null,
    madePercent: 0,
    report: async () => ({ extentBytes, volumes: new Map(lvm.volumes) }),
    scansVolumes: async () => false,
    change: async (verb, args, signal) => {
      if (signal.aborted) throw new HostError('Cancelled', `running ${verb}`);
      // As a program does, it takes a while, in which others look.
      await sleep(20);
      const how = lvm.spoil(verb, (count += 1));
      if (how !== 'before') {
        act(lvm, verb, args);
        lvm.done.push(verb);
      }
      if (how !== null) throw new HostError('Timeout', `running ${verb}`);
    },
  };
  return lvm;
}

function act(lvm: MemoryLvm, verb: LvmVerb, args: readonly string[]): void {
  const name = (args.at(-1) ?? '').replace(`${MEMORY_POOL.group}/`, '');
  const word = (option: string) => args[args.indexOf(option) + 1] ?? '';
  switch (verb) {
    case 'lvcreate': {
      const isSnapshot = !args.includes('--virtualsize');
      const source = isSnapshot ? there(lvm, name) : null;
      const made = word('--name');
      if (lvm.volumes.has(made)) throw refused(`"${made}" already exists`);
      lvm.volumes.set(made, {
        ...of(made, isSnapshot ? (source?.sizeBytes ?? 0) : rounded(word('--virtualsize'))),
        // As LVM's own: tags of what it is made of do not come with it.
        tags: [word('--addtag')],
        isActive: word('--activate') === 'y',
        dataPercent: isSnapshot ? (source?.dataPercent ?? 0) : lvm.madePercent,
      });
      return;
    }
    case 'lvextend': {
      const volume = there(lvm, name);
      const sizeBytes = rounded(word('--size'));
      if (sizeBytes <= volume.sizeBytes) throw refused('New size is not larger');
      lvm.volumes.set(name, { ...volume, sizeBytes });
      return;
    }
    case 'lvchange': {
      const isActive = word('--activate') === 'y';
      if (!isActive && lvm.open.has(name)) throw refused(`${name} in use`);
      lvm.volumes.set(name, { ...there(lvm, name), isActive });
      return;
    }
    case 'lvremove':
      if (lvm.open.has(name)) throw refused(`${name} in use`);
      there(lvm, name);
      lvm.volumes.delete(name);
  }
}

function of(name: string, sizeBytes: number): LogicalVolume {
  const thin = { pool: MEMORY_POOL.pool, isThinPool: false, isZeroing: true, health: '' };
  return {
    name,
    sizeBytes,
    ...thin,
    chunkBytes: 0,
    isOrigin: false,
    tags: [],
    isActive: true,
    dataPercent: 0,
    metadataPercent: null,
  };
}

function there({ volumes }: MemoryLvm, name: string): LogicalVolume {
  const found = volumes.get(name);
  if (found === undefined) throw refused(`Failed to find logical volume "${name}"`);
  return found;
}

function rounded(words: string): number {
  return Math.ceil(Number.parseInt(words, 10) / extentBytes) * extentBytes;
}

function refused(words: string): HostError {
  return new HostError('Refused', 'running LVM', { cause: new Error(words) });
}
