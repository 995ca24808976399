/** Whether partitions fit their host: by hand, beside the property that tries everything. */
import { describe, expect, test } from 'vitest';
import type { PartitionName } from '../../../src/model/names.ts';
import { present, unknown } from '../../../src/model/observation.ts';
import { type Claim, noClaim } from '../../../src/partition/claim.ts';
import { sharedCpus } from '../../../src/model/cpu-set.ts';
import { type Claims, hostFit, type HostFitFacts } from '../../../src/partition/host-fit.ts';
import type { HostRules } from '../../../src/partition/host-room.ts';

const GiB = 2 ** 30;

type Some = Readonly<Record<string, Partial<Claim>>>;

const claims = (some: Some): Claims =>
  new Map(
    Object.entries(some).map(([name, claim]) => [name as PartitionName, { ...noClaim, ...claim }]),
  );
const set = (...names: string[]) => new Set(names as PartitionName[]);

const rules: HostRules = {
  reserved: { vcpus: 0, memoryBytes: 0 },
  overcommit: { vcpus: 1, memory: 1 },
};

const quiet: HostFitFacts = {
  wanted: new Map(),
  promised: new Map(),
  held: new Map(),
  leftBehind: new Set(),
  seniors: new Set(),
  host: present({ cpus: 16, memoryBytes: 64 * GiB }),
  rules,
  addresses: present([]),
};

const fit = (wanted: Some, more: Partial<HostFitFacts> = {}) =>
  hostFit({ ...quiet, wanted: claims(wanted), ...more });

/** Who waits for what, because of whom. */
function waiting(wanted: Some, more: Partial<HostFitFacts> = {}): readonly string[] {
  return [...fit(wanted, more).waiting].map(([name, conflicts]) =>
    [name, ...conflicts.map(({ kind, others }) => [kind, ...others].join(' '))].join(': '),
  );
}

describe('who gets what there is', () => {
  test('nobody asks, and there is nothing to say', () => {
    expect(fit({})).toEqual({ promised: new Map(), waiting: new Map() });
  });

  test('all that fit, to the last vCPU and byte', () => {
    const memoryBytes = 32 * GiB;
    expect(waiting({ a: { vcpus: 8, memoryBytes }, b: { vcpus: 8, memoryBytes } })).toEqual([]);
    expect(waiting({ a: { vcpus: 8 }, b: { vcpus: 9 } })).toEqual(['b: vcpus a']);
    expect(waiting({ a: { memoryBytes }, b: { memoryBytes: memoryBytes + 1 } })).toEqual([
      'b: memoryBytes a',
    ]);
  });

  test('one without limits counts with nothing', () => {
    expect(waiting({ a: { vcpus: 16 }, b: {} })).toEqual([]);
    expect(fit({ a: { vcpus: 16 }, b: {} }).promised.size).toBe(1);
  });

  test('who is larger than the host is in nobody else s way, and is alone in it', () => {
    const found = fit({ b: { vcpus: 8 }, z: { vcpus: 64 } });
    expect([...found.promised.keys()]).toEqual(['b']);
    expect(found.waiting.get('z' as PartitionName)).toMatchObject([
      { kind: 'vcpus', others: [], asked: 64, used: 0, available: 16, missing: 48 },
    ]);
  });

  test('by name, but for those who have something to lose, and before them those who grow', () => {
    expect(waiting({ b: { vcpus: 10 }, a: { vcpus: 10 } })).toEqual(['b: vcpus a']);
    expect(waiting({ a: { vcpus: 10 }, b: { vcpus: 10 } }, { seniors: set('b') })).toEqual([
      'a: vcpus b',
    ]);
    const promised = claims({ c: { vcpus: 2 } });
    const all = { a: { vcpus: 10 }, b: { vcpus: 10 }, c: { vcpus: 10 } };
    expect(waiting(all, { seniors: set('b'), promised })).toEqual(['a: vcpus c', 'b: vcpus c']);
  });

  test('whoever fits goes on past one that does not', () => {
    expect(waiting({ a: { vcpus: 10 }, b: { vcpus: 8 }, c: { vcpus: 6 } })).toEqual(['b: vcpus a']);
  });
});

describe('who was promised something', () => {
  const promised = claims({ b: { vcpus: 12 } });

  test('keeps it, whoever comes, and also where the host has become too small', () => {
    expect(waiting({ a: { vcpus: 8 }, b: { vcpus: 12 } }, { promised })).toEqual(['a: vcpus b']);
    const host = present({ cpus: 4, memoryBytes: GiB });
    expect(waiting({ b: { vcpus: 12 } }, { promised, host })).toEqual([]);
  });

  test('waits when it grows beyond what is there, and keeps what it had', () => {
    const found = fit({ b: { vcpus: 13, memoryBytes: 65 * GiB } }, { promised });
    expect([...found.waiting.keys()]).toEqual(['b']);
    expect(found.promised.get('b' as PartitionName)?.vcpus).toBe(12);
  });

  test('grows within what is there: what it has is not in its own way', () => {
    expect(fit({ b: { vcpus: 16 } }, { promised }).promised).toEqual(claims({ b: { vcpus: 16 } }));
  });

  test('gives up what it has for something else, and whoever waits for that gets it at once', () => {
    const before = claims({ a: { vcpus: 1 }, b: { cidr: '10.0.0.0/24' } });
    const both = { a: { cidr: '10.0.0.0/24' }, b: { cidr: '10.0.1.0/24' } };
    expect(waiting(both, { promised: before })).toEqual([]);
  });

  test('is not asked about what has not grown', () => {
    const host = present({ cpus: 4, memoryBytes: 64 * GiB });
    expect(waiting({ b: { vcpus: 12, memoryBytes: GiB } }, { promised, host })).toEqual([]);
  });

  test('gives back what it has been seen not to use, and not what is not known', () => {
    const less = { b: { vcpus: 4 } };
    const of = (held: number | null) =>
      fit(less, {
        promised,
        held: new Map([
          ['b' as PartitionName, held === null ? null : { vcpus: held, memoryBytes: 0 }],
        ]),
      }).promised.get('b' as PartitionName)?.vcpus;
    expect([of(null), of(2), of(9), of(40)]).toEqual([12, 4, 9, 12]);
    expect(fit(less, { promised }).promised.get('b' as PartitionName)?.vcpus).toBe(12);
  });

  test('and is not described any more counts for as long as something of it is there', () => {
    expect(waiting({ a: { vcpus: 8 } }, { promised, leftBehind: set('b') })).toEqual([
      'a: vcpus b',
    ]);
    expect(waiting({ a: { vcpus: 8 } }, { promised })).toEqual([]);
  });

  test('keeps it while the host cannot be read, when nobody else gets anything', () => {
    const host = unknown('no connection');
    const all = { a: { vcpus: 1 }, b: { vcpus: 12 }, c: { cidr: '10.0.0.0/24' } };
    expect(waiting(all, { promised, host })).toEqual(['a: unknown']);
    expect(waiting({ b: { vcpus: 13 } }, { promised, host })).toEqual(['b: unknown']);
  });
});

describe('what the operator keeps and promises twice', () => {
  const over = (vcpus: number, memory = 1, reserved = 0): Partial<HostFitFacts> => ({
    host: present({ cpus: 10, memoryBytes: GiB }),
    rules: { reserved: { vcpus: reserved, memoryBytes: 0 }, overcommit: { vcpus, memory } },
  });
  const available = (more: Partial<HostFitFacts>) =>
    fit({ a: { vcpus: 8000 } }, more).waiting.get('a' as PartitionName)?.[0]?.available;

  test('factors are decimal, and what they come to is rounded down', () => {
    // 10 * 1.1 is 11.000000000000002 and 10 * 2.3 is 23, but 1.15 * 100 is 114.99999999999999.
    expect([1, 1.1, 1.15, 1.99, 2.3, 100].map((each) => available(over(each)))).toEqual([
      10, 11, 11, 19, 23, 1000,
    ]);
    expect(fit({ a: { vcpus: 11 } }, over(1.1)).waiting.size).toBe(0);
  });

  test('what is kept for the host is kept before it is multiplied, and may be all', () => {
    expect([
      available(over(1.5, 1, 2)),
      available(over(2, 1, 10)),
      available(over(2, 1, 99)),
    ]).toEqual([12, 0, 0]);
  });

  test('2^53 bytes and more are counted to the byte', () => {
    const bytes = 2 ** 53;
    const host = present({ cpus: 1, memoryBytes: bytes });
    expect(waiting({ a: { memoryBytes: bytes } }, { host })).toEqual([]);
    expect(waiting({ a: { memoryBytes: bytes - 1 }, b: { memoryBytes: 2 } }, { host })).toEqual([
      'b: memoryBytes a',
    ]);
    // In doubles 2^53 + 1 is 2^53.
    const promised = claims({ a: { memoryBytes: bytes } });
    const wanted = { a: { memoryBytes: bytes }, b: { memoryBytes: 1 } };
    expect(waiting(wanted, { host, promised })).toEqual(['b: memoryBytes a']);
  });
});

describe('subnets', () => {
  const beside = (cidr: string) => waiting({ a: { cidr: '10.0.1.0/24' }, b: { cidr } });

  test.each(['10.0.1.0/24', '10.0.1.0/25', '10.0.1.248/29', '10.0.0.0/16', '10.0.0.0/23'])(
    '%s overlaps 10.0.1.0/24',
    (cidr) => expect(beside(cidr)).toEqual(['b: subnet a']),
  );

  test.each(['10.0.0.0/24', '10.0.2.0/24', '10.0.0.248/29', '10.0.2.0/23', '10.1.1.0/24'])(
    '%s does not',
    (cidr) => expect(beside(cidr)).toEqual([]),
  );

  test('at the ends of what there is', () => {
    expect(waiting({ a: { cidr: '223.255.255.248/29' }, b: { cidr: '1.0.0.0/16' } })).toEqual([]);
    expect(waiting({ a: { cidr: '223.255.0.0/16' }, b: { cidr: '223.255.255.248/29' } })).toEqual([
      'b: subnet a',
    ]);
  });

  test('a part of what was promised needs no asking, and the rest is free at once', () => {
    const promised = claims({ a: { cidr: '10.0.0.0/16' } });
    const addresses = present([{ name: 'eth0', cidr: '10.0.1.5/24' }]);
    expect(waiting({ a: { cidr: '10.0.1.0/24' } }, { promised, addresses })).toEqual([]);
    const both = { a: { cidr: '10.0.1.0/24' }, b: { cidr: '10.0.2.0/24' } };
    expect(waiting(both, { promised })).toEqual([]);
  });

  const ours = (name: string, cidr: string) =>
    waiting({ a: { cidr: '10.0.1.0/24' } }, { addresses: present([{ name, cidr }]) });

  test('the host s own are taken too, by their prefix, but not our own bridges', () => {
    expect(ours('eth0', '10.0.1.5/32')).toEqual(['a: interface']);
    expect(ours('eth0', '10.0.200.5/16')).toEqual(['a: interface']);
    expect(ours('eth0', '10.0.2.5/24')).toEqual([]);
    expect(ours('un-0123456789ab', '10.0.1.1/24')).toEqual([]);
    expect(ours('un-home', '10.0.1.1/24')).toEqual(['a: interface']);
    const addresses = unknown('no answer');
    expect(waiting({ a: { cidr: '10.0.1.0/24' }, b: { vcpus: 1 } }, { addresses })).toEqual([
      'a: unknown',
    ]);
  });
});

describe('CPUs that nobody else is to get', () => {
  test.each([
    ['0-3', '4-7', ''],
    ['0-3', '3-7', '3'],
    ['0-15', '4-7,12', '4-7,12'],
    ['1,3,5', '0-2,4-9', '1,5'],
    ['8191', '8191', '8191'],
  ])('%s and %s share "%s"', (a, b, shared) => {
    expect([sharedCpus(a, b), sharedCpus(b, a)]).toEqual([shared, shared]);
    const host = present({ cpus: 8192, memoryBytes: 64 * GiB });
    const wait = waiting({ a: { cpuset: a }, b: { cpuset: b } }, { host });
    expect(wait).toEqual(shared === '' ? [] : ['b: cpuset a']);
  });

  test('are of this host', () => {
    expect(waiting({ a: { cpuset: '15' }, b: { cpuset: '8,16' } })).toEqual(['b: cpuset']);
    expect([...fit({ b: { cpuset: '8,15-17' } }).waiting.values()][0]).toMatchObject([
      { kind: 'cpuset', others: [], asked: 4, available: 2, missing: 2 },
    ]);
  });

  test('are promised once, by whatever factor others are promised more than there is', () => {
    const twice = { rules: { ...rules, overcommit: { vcpus: 2, memory: 1 } } };
    const all = { a: { vcpus: 1, cpuset: '0-7' }, b: { vcpus: 16 } };
    expect(waiting(all, twice)).toEqual([]);
    expect(waiting({ ...all, b: { vcpus: 17 } }, twice)).toEqual(['b: vcpus a']);
    expect(waiting({ a: { vcpus: 1, cpuset: '0-15' }, b: { vcpus: 1 } }, twice)).toEqual([
      'b: vcpus a',
    ]);
  });
});

describe('memory that nobody else can press out', () => {
  test('is promised once, by whatever factor others are promised more than there is', () => {
    const twice = { rules: { ...rules, overcommit: { vcpus: 1, memory: 2 } } };
    const half = { memoryBytes: 40 * GiB, guaranteedBytes: 32 * GiB };
    expect(waiting({ a: half, b: half }, twice)).toEqual([]);
    expect(waiting({ a: half, b: { ...half, guaranteedBytes: 32 * GiB + 1 } }, twice)).toEqual([
      'b: memoryBytes a',
    ]);
  });

  test('that grows is asked for anew', () => {
    const promised = claims({ a: { memoryBytes: 40 * GiB, guaranteedBytes: GiB } });
    const grown = fit({ a: { memoryBytes: 40 * GiB, guaranteedBytes: 2 * GiB } }, { promised });
    expect(grown.promised.get('a' as PartitionName)?.guaranteedBytes).toBe(2 * GiB);
  });

  test('and that grows past what is there waits', () => {
    const twice = { rules: { ...rules, overcommit: { vcpus: 1, memory: 2 } } };
    const b = { memoryBytes: 100 * GiB, guaranteedBytes: 62 * GiB };
    const some = (gibibytes: number) => ({
      a: { memoryBytes: 2 * GiB, guaranteedBytes: gibibytes * GiB },
      b,
    });
    const promised = claims(some(1));
    expect(waiting(some(2), { ...twice, promised })).toEqual([]);
    expect(waiting(some(3), { ...twice, promised })).toEqual(['a: memoryBytes b']);
  });
});

describe('what is said', () => {
  const textOf = (wanted: Some, more: Partial<HostFitFacts> = {}) =>
    [...fit(wanted, more).waiting.values()].flat().map(({ text }) => text);

  test('names who, how much, and every way out', () => {
    const memoryBytes = 40 * GiB;
    const kept = { ...rules, reserved: { vcpus: 0, memoryBytes: GiB } };
    expect(textOf({ a: { memoryBytes }, b: { memoryBytes } }, { rules: kept })).toEqual([
      "b asks for 40GiB of memory, and 40GiB of the 63GiB that this host may give (64GiB less 1GiB, times 1) are promised to a (40GiB): 17GiB are missing. Either lower spec.limits.memory of b to 23GiB, or lower spec.limits.memory of others by 17GiB, or raise spec.overcommit.memory of unnestd's configuration to 1.27, or give the host more, or take b to another",
    ]);
  });

  test('of one that is alone, and of subnets and CPUs', () => {
    expect(textOf({ a: { vcpus: 20 } })).toEqual([
      "a alone asks for 20 vCPUs, and this host may give 16 (16, times 1): 4 are missing. Either lower spec.limits.vcpus of a to 16, or raise spec.overcommit.vcpus of unnestd's configuration to 1.25, or give the host more, or take a to another",
    ]);
    const addresses = present([{ name: 'eth0', cidr: '10.0.0.5/24' }]);
    expect(
      textOf({ a: { cidr: '10.0.0.0/25', cpuset: '0-1' }, b: { cpuset: '1-2' } }, { addresses }),
    ).toEqual([
      'spec.network.cidr 10.0.0.0/25 of a overlaps what the host itself reaches by eth0 (10.0.0.5/24): give a another subnet',
    ]);
    expect(
      textOf({
        a: { cidr: '10.0.0.0/25', cpuset: '0-1' },
        b: { cidr: '10.0.0.0/24', cpuset: '1-2' },
      }),
    ).toEqual([
      'spec.network.cidr 10.0.0.0/24 of b overlaps that of a (10.0.0.0/25): give one of them another',
      'spec.guarantees.cpuset 1-2 of b overlaps that of a (0-1): give one of them another',
    ]);
  });

  test('the factor that is named is enough, and a hundredth less is not', () => {
    const wanted = { a: { vcpus: 11 }, b: { vcpus: 12 } };
    const at = (vcpus: number) =>
      waiting(wanted, { rules: { ...rules, overcommit: { vcpus, memory: 1 } } });
    expect(textOf(wanted)[0]).toContain('to 1.44,');
    expect([at(1.44), at(1.43)]).toEqual([[], ['b: vcpus a']]);
  });

  test('what is to be lowered is rounded so that it is enough', () => {
    const memoryBytes = 32 * GiB;
    const host = present({ cpus: 1, memoryBytes: 64 * GiB - 4096 });
    const [text] = textOf({ a: { memoryBytes }, b: { memoryBytes } }, { host });
    expect(text).toContain(
      ': 1MiB are missing. Either lower spec.limits.memory of b to 32767MiB, or',
    );
    expect(text).toContain('of others by 1MiB, or');
  });

  test('no names of thousands, and all of them as data', () => {
    const many = Object.fromEntries(
      Array.from({ length: 16 }, (_, index) => [`p${index}`, { vcpus: 1 }]),
    );
    const [conflict] = [...fit({ ...many, z: { vcpus: 4 } }).waiting.values()].flat();
    expect(conflict?.others).toHaveLength(16);
    expect(conflict?.text).toContain(' and 11 more');
  });
});
