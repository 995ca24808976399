/** Partitions that do not fit their host together, in a whole daemon on a virtual clock. */
import { describe, expect, test } from 'vitest';
import { FileError } from '../../../src/daemon/runtime.ts';
import { HostError } from '../../../src/host/host-error.ts';
import type { DomainRef } from '../../../src/model/domain.ts';
import type { PartitionName } from '../../../src/model/names.ts';
import {
  domainIn,
  holdOf,
  slowCall,
  slowFiles,
  switched,
  volumeText,
  writesOf,
} from '../../support/daemon-orders.ts';
import { domainOf, onCall, worldOf } from '../../support/simulation.ts';
import { type VirtualRuntime, virtualRuntime } from '../../support/virtual-runtime.ts';
import { virtualUnnestd } from '../../support/virtual-unnestd.ts';
import {
  descriptionOf,
  secondaryNamed,
  secondaryText,
  stateDir,
  submitted,
  virtualDaemon,
  type VirtualDaemon,
  type VirtualDaemonOptions,
} from '../../support/virtual-daemon.ts';

const GiB = 2 ** 30;
const teamA = 'team-a' as PartitionName;
const teamB = 'team-b' as PartitionName;
const promisesFile = `${stateDir}/promises.json`;

interface Limits {
  readonly vcpus?: number;
  readonly memory?: string;
}

function limits({ vcpus = 4, memory = '1GiB' }: Limits = {}) {
  const storage = '1GiB';
  return { limits: { vcpus, memory, storage, secondaries: 9, enforcement: 'Admission' } };
}

type Specs = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** A host of 8 CPUs and 64 GiB, on which partitions are described as the test says. */
function daemonOn(specs: Specs, options: VirtualDaemonOptions = {}) {
  const world = options.world ?? worldOf({ files: ['vmlinuz'] });
  world.size = { cpus: 8, memoryBytes: 64 * GiB };
  world.files.set(teamB, new Map(world.files.get(teamA)));
  const daemon = virtualDaemon({ partitions: [], ...options, world });
  describeAs(daemon, specs);
  return daemon;
}

/** In that order. */
function describeAs({ supervisor }: VirtualDaemon, specs: Specs): void {
  supervisor.describe(
    new Map(
      Object.entries(specs).map(([name, spec]) =>
        descriptionOf(name, { source: 'Apply', ...spec }),
      ),
    ),
  );
}

async function submit(daemon: VirtualDaemon, name: PartitionName, text: string) {
  await daemon.runtime.settle();
  const result = await daemon.control.submit(name, submitted(text));
  await daemon.advance(2000);
  return result?.status;
}

/** With what the operator is told of it, which is more than its tenant is. */
function condition({ control }: VirtualDaemon, name: PartitionName, type = 'FitsHost'): string {
  const found = control.status(name)?.conditions.find((each) => each.type === type);
  if (found === undefined) return 'unsaid';
  const told = control.problems().find(({ file }) => file === `${name}.yaml`);
  return `${found.status} ${found.reason} ${told?.message ?? found.message}`;
}

function words({ control }: VirtualDaemon, name: PartitionName, secondary = 'web'): string {
  const found = control.status(name)?.secondaries.find((each) => each.name === secondary);
  return found === undefined ? 'absent' : `${found.status} ${found.sync}`;
}

const running = ({ world }: VirtualDaemon) =>
  [...world.domains.values()].filter(({ guest }) => guest !== null).map((each) => each.domainName);

/** Named as one of ours, and started by somebody else. */
const foreign = (ref: DomainRef) =>
  domainOf('web', { ref, owner: null, power: { status: 'running' }, defined: {} as never });

const fitEvents = ({ events }: VirtualDaemon) =>
  events.filter((each) => each.kind === 'condition-changed' && each.type === 'FitsHost');

const problems = ({ control }: VirtualDaemon) =>
  control.problems().map(({ file, code }) => `${file} ${code}`);

const web = (vcpus = 1) => secondaryText('web', { spec: { vcpus, updatePolicy: 'Restart' } });

describe('a newcomer for whom the host has no room', () => {
  async function newcomer() {
    const daemon = daemonOn({ [teamA]: limits({ vcpus: 6 }) });
    await submit(daemon, teamA, web(3));
    describeAs(daemon, { [teamB]: limits({ vcpus: 4 }), [teamA]: limits({ vcpus: 6 }) });
    await submit(daemon, teamB, web());
    return daemon;
  }

  test('is held as a whole, and says whom it collides with', async () => {
    const daemon = await newcomer();
    expect(running(daemon)).toEqual(['unnest.team-a.web']);
    expect(words(daemon, teamB)).toBe('Blocked Blocked');
    expect(condition(daemon, teamB)).toMatch(
      /^False HostOvercommitted team-b asks for 4 vCPUs, and 6 of the 8 .* are promised to team-a \(6\): 2 are missing/,
    );
    expect(condition(daemon, teamB, 'Paused')).toBe('unsaid');
    expect(daemon.control.status(teamB)?.health).toBe('Degraded');
    expect(condition(daemon, teamA)).toBe('unsaid');
    expect(writesOf(daemon, 'define unnest.team-b')).toEqual([]);
  });

  test('is a problem for the operator, once, and the sum shows it', async () => {
    const daemon = await newcomer();
    await daemon.advance(1_000_000);
    expect(problems(daemon)).toEqual(['team-b.yaml HostOvercommitted']);
    expect(daemon.events.filter(({ kind }) => kind === 'config-problem')).toHaveLength(1);
    expect(daemon.control.hostSum()).toMatchObject({
      vcpus: { promised: 6, available: 8, there: 8, factor: 1 },
      memoryBytes: { promised: GiB, available: 64 * GiB },
      waiting: [teamB],
      unlimited: [],
    });
  });

  test('goes on once the other has given back what it had', async () => {
    const daemon = await newcomer();
    describeAs(daemon, { [teamA]: limits({ vcpus: 2 }), [teamB]: limits({ vcpus: 6 }) });
    await daemon.advance(2000);
    // Its guest of three vCPUs runs on, whatever its limits are by now.
    expect(condition(daemon, teamB)).toMatch(/3 of the 8 .* promised to team-a/);
    await submit(
      daemon,
      teamA,
      secondaryText('web', { spec: { vcpus: 2, updatePolicy: 'Restart' } }),
    );
    await daemon.advance(60_000);
    expect(condition(daemon, teamB)).toBe('unsaid');
    expect(running(daemon)).toEqual(['unnest.team-a.web', 'unnest.team-b.web']);
    expect(problems(daemon)).toEqual([]);
  });

  test('goes on when the operator lets it have less, or the other is gone with its guests', async () => {
    const less = await newcomer();
    describeAs(less, { [teamA]: limits({ vcpus: 6 }), [teamB]: limits({ vcpus: 2 }) });
    await less.advance(2000);
    expect(words(less, teamB)).toBe('Running Synced');
    const gone = await newcomer();
    describeAs(gone, { [teamB]: limits({ vcpus: 4 }) });
    await gone.advance(2000);
    expect(condition(gone, teamB)).toMatch(/promised to team-a/);
    const { uuid, domainName } = domainIn(gone, 'web');
    gone.world.domains.delete(uuid);
    gone.hosts.touch({ kind: 'domain', domainName, uuid, event: 'undefined' });
    await gone.advance(2000);
    expect(words(gone, teamB)).toBe('Running Synced');
  });

  test('is no problem any more when its file is gone, or asks for nothing', async () => {
    for (const then of [{}, { [teamA]: {} }]) {
      const daemon = daemonOn({ [teamA]: limits({ vcpus: 64 }) });
      await daemon.advance(2000);
      expect(problems(daemon)).toEqual(['team-a.yaml HostOvercommitted']);
      describeAs(daemon, then);
      await daemon.advance(2000);
      expect(problems(daemon)).toEqual([]);
    }
  });

  test('goes on when the host has become larger', async () => {
    const daemon = await newcomer();
    daemon.world.size = { cpus: 10, memoryBytes: 64 * GiB };
    await daemon.advance(300_000);
    expect(words(daemon, teamB)).toBe('Running Synced');
  });

  test('may be asked to start a guest, which waits, and says for what', async () => {
    const daemon = await newcomer();
    const asked = () => daemon.control.power(teamB, secondaryNamed('web'), 'start', 'uid 0');
    expect(await asked()).toMatchObject({
      message: 'web is to start, once its host has room for the partition',
    });
    await daemon.control.pause(teamB, holdOf(null));
    expect(await asked()).toMatchObject({
      message: 'web is to start, once it is no longer paused',
    });
    await daemon.advance(2000);
    expect(condition(daemon, teamB, 'Paused')).toMatch(/^True Held/);
    expect(condition(daemon, teamB)).toMatch(/^False HostOvercommitted/);
  });

  test('may be emptied, and looked at', async () => {
    const daemon = await newcomer();
    await daemon.control.drain(teamB, 'uid 0');
    await daemon.advance(2000);
    expect(condition(daemon, teamB, 'Draining')).toMatch(/^True Empty/);
    expect(condition(daemon, teamB)).toBe('unsaid');
  });
});

describe('whoever was let in', () => {
  test('is left alone as a whole when it grows too much, and its guests run on', async () => {
    const daemon = daemonOn({ [teamA]: limits({ vcpus: 6 }), [teamB]: limits({ vcpus: 2 }) });
    await submit(daemon, teamA, web());
    describeAs(daemon, { [teamA]: limits({ vcpus: 7 }), [teamB]: limits({ vcpus: 2 }) });
    await daemon.advance(2000);
    expect(daemon.control.status(teamA)?.health).toBe('Suspended');
    await submit(daemon, teamA, web(2) + secondaryText('db'));
    expect(condition(daemon, teamA)).toMatch(/^False HostOvercommitted .*team-b/);
    expect(running(daemon)).toEqual(['unnest.team-a.web']);
    expect(domainIn(daemon, 'web').guest?.fields.vcpus).toBe(1);
    describeAs(daemon, { [teamA]: limits({ vcpus: 6 }), [teamB]: limits({ vcpus: 2 }) });
    await daemon.advance(60_000);
    expect(running(daemon)).toHaveLength(2);
    expect(domainIn(daemon, 'web').guest?.fields.vcpus).toBe(2);
  });

  test('stays in when the daemon is started anew, whatever order the names have', async () => {
    const daemon = daemonOn({ [teamB]: limits({ vcpus: 6 }) });
    await daemon.advance(2000);
    describeAs(daemon, { [teamB]: limits({ vcpus: 6 }), [teamA]: limits({ vcpus: 6 }) });
    await submit(daemon, teamA, web());
    expect(condition(daemon, teamA)).toMatch(/^False/);
    const next = daemonOn(
      { [teamA]: limits({ vcpus: 6 }), [teamB]: limits({ vcpus: 6 }) },
      { runtime: daemon.crash({ losePower: true }), world: daemon.world },
    );
    await next.advance(10_000);
    expect(condition(next, teamA)).toMatch(/^False HostOvercommitted .*team-b/);
    expect(condition(next, teamB)).toBe('unsaid');
  });

  test('is not known where the file is torn, and then those with documents come first', async () => {
    const daemon = daemonOn({ [teamB]: limits({ vcpus: 6 }) });
    await submit(daemon, teamB, web());
    const runtime = daemon.crash();
    runtime.disk.write(promisesFile, 'torn');
    const next = daemonOn(
      { [teamA]: limits({ vcpus: 6 }), [teamB]: limits({ vcpus: 6 }) },
      { runtime, world: daemon.world },
    );
    await next.advance(2000);
    expect([condition(next, teamA).slice(0, 23), condition(next, teamB)]).toEqual([
      'False HostOvercommitted',
      'unsaid',
    ]);
    expect(words(next, teamB)).toBe('Running Synced');
  });

  test('keeps it while the host cannot be read, and nobody gets more meanwhile', async () => {
    const error = new HostError('Refused', 'no facts');
    const fault = switched(onCall('facts', { kind: 'error', error }));
    fault.on = false;
    const daemon = daemonOn({ [teamA]: limits() }, { rules: [fault.rule] });
    await submit(daemon, teamA, web());
    fault.on = true;
    describeAs(daemon, { [teamA]: limits(), [teamB]: limits() });
    await submit(daemon, teamB, web());
    await daemon.advance(600_000);
    expect(condition(daemon, teamA)).toBe('unsaid');
    expect(condition(daemon, teamB)).toMatch(/^Unknown HostUnknown .*no facts/);
    expect(running(daemon)).toEqual(['unnest.team-a.web']);
    fault.on = false;
    await daemon.advance(10_000);
    expect(running(daemon)).toHaveLength(2);
  });

  test('keeps it where the host has become too small, which is a problem', async () => {
    const daemon = daemonOn({ [teamA]: limits({ vcpus: 6 }) });
    await submit(daemon, teamA, web());
    daemon.world.size = { cpus: 4, memoryBytes: 64 * GiB };
    await daemon.advance(300_000);
    expect(condition(daemon, teamA)).toBe('unsaid');
    expect(problems(daemon)).toEqual([' HostOvercommitted']);
  });
});

describe('what is under way', () => {
  test('counts, though no look has seen it yet', async () => {
    const runtime = virtualRuntime();
    const latency = slowCall('start', 'web', 10_000, runtime.timers);
    const daemon = daemonOn({ [teamA]: limits({ vcpus: 6 }) }, { runtime, latency });
    await submit(daemon, teamA, web(5));
    describeAs(daemon, { [teamA]: limits({ vcpus: 2 }), [teamB]: limits({ vcpus: 6 }) });
    await daemon.advance(2000);
    expect(running(daemon)).toEqual([]);
    expect(condition(daemon, teamB)).toMatch(/6 of the 8 .* promised to team-a/);
    await daemon.advance(600_000);
    expect(condition(daemon, teamB)).toMatch(/5 of the 8 .* promised to team-a/);
  });

  test('a promise that is being written: who wants back what is in it has to ask', async () => {
    const daemon = daemonOn({ [teamA]: limits({ vcpus: 6 }) });
    await submit(daemon, teamA, volumeText());
    slowFiles(daemon.runtime, 'replace', 'promises.json', 3000);
    describeAs(daemon, { [teamA]: limits({ vcpus: 2 }), [teamB]: limits({ vcpus: 6 }) });
    await daemon.advance(1000);
    describeAs(daemon, { [teamA]: limits({ vcpus: 6 }), [teamB]: limits({ vcpus: 6 }) });
    await daemon.advance(1000);
    expect(condition(daemon, teamA)).toMatch(/^Unknown HostUnknown .*looked into/);
    expect(condition(daemon, teamB)).not.toMatch(/^unsaid/);
    await daemon.advance(10_000);
    expect(condition(daemon, teamA)).toMatch(/^False HostOvercommitted .*team-b/);
    expect(condition(daemon, teamB)).toBe('unsaid');
  });

  /** Whatever is asked about the host as a whole takes that long. */
  const slowFacts = (runtime: VirtualRuntime) => async (call: { readonly name: string }) => {
    if (call.name === 'facts') await runtime.timers.sleep(3000, new AbortController().signal);
  };

  test('is no reason to say of one that was let in that nobody knows', async () => {
    const daemon = daemonOn({ [teamA]: limits() });
    await submit(daemon, teamA, web());
    const runtime = daemon.crash();
    slowFiles(runtime, 'read', 'promises.json', 3000);
    const next = daemonOn({ [teamA]: limits() }, { runtime, world: daemon.world });
    await next.advance(2000);
    expect(next.events.map(({ kind }) => kind)).not.toContain('condition-changed');
    await next.advance(10_000);
    expect(words(next, teamA)).toBe('Running Synced');
    expect(fitEvents(next)).toEqual([]);
  });

  test.each([
    ['slow', slowFacts],
    ['quick', () => async () => undefined],
  ])(
    'a %s look at the host is neither put off nor made more often by what guests do',
    async (_how, latencyOf) => {
      const daemon = daemonOn({ [teamA]: limits({ vcpus: 6 }) });
      await submit(daemon, teamA, web(5));
      const runtime = daemon.crash();
      const next = daemonOn(
        { [teamA]: limits({ vcpus: 2 }), [teamB]: limits({ vcpus: 3 }) },
        { runtime, world: daemon.world, latency: latencyOf(runtime) },
      );
      // What it has is more than it may have, so that every word of it may be one of giving back.
      for (let said = 0; said < 100; said += 1) {
        await next.advance(100);
        next.supervisor.partition(teamA)?.loop?.restate();
      }
      expect(condition(next, teamB)).toBe('unsaid');
      const looks = next.hosts.faults.calls.filter(({ name }) => name === 'list').length;
      expect(looks).toBeLessThan(30);
    },
  );

  test('a look at the host: who comes meanwhile is asked about too', async () => {
    const daemon = daemonOn({ [teamB]: limits({ vcpus: 6 }) });
    await submit(daemon, teamB, volumeText());
    const runtime = daemon.crash();
    runtime.disk.remove(promisesFile);
    const latency = slowFacts(runtime);
    const next = daemonOn({ [teamA]: limits({ vcpus: 6 }) }, { runtime, latency });
    await next.advance(1000);
    describeAs(next, { [teamA]: limits({ vcpus: 6 }), [teamB]: limits({ vcpus: 6 }) });
    await next.advance(10_000);
    expect(condition(next, teamA)).toMatch(/promised to team-b/);
    expect(condition(next, teamB)).toBe('unsaid');
  });
});

describe('those who come together', () => {
  test('those first who have documents, or guests that somebody has started without us', async () => {
    const together = { [teamA]: limits({ vcpus: 6 }), [teamB]: limits({ vcpus: 6 }) };
    const daemon = daemonOn({ [teamB]: {} });
    await submit(daemon, teamB, volumeText());
    describeAs(daemon, together);
    await daemon.advance(2000);
    expect(condition(daemon, teamA)).toMatch(/promised to team-b/);
    const uuid = '9d0d1f5c-93a1-4c38-8f0e-6a3f6a1f0001' as never;
    const ref = { uuid, domainName: 'unnest.team-b.web' };
    const world = worldOf({ domains: [foreign(ref)] });
    const other = daemonOn(together, { world });
    await other.advance(2000);
    expect(condition(other, teamA)).toMatch(/promised to team-b/);
  });

  test.each([[[teamA, teamB]], [[teamB, teamA]]])('%s: the first by name', async (names) => {
    const daemon = daemonOn(Object.fromEntries(names.map((name) => [name, limits({ vcpus: 5 })])));
    await daemon.advance(2000);
    expect(condition(daemon, teamA)).toBe('unsaid');
    expect(condition(daemon, teamB)).toMatch(/^False HostOvercommitted .*team-a/);
  });

  test('of what is promised more often than it is there', async () => {
    const specs = { [teamA]: limits({ vcpus: 5 }), [teamB]: limits({ vcpus: 5 }) };
    const reserved = { vcpus: 0, memoryBytes: 0 };
    const at = async (vcpus: number) => {
      const daemon = daemonOn(specs, { hostRules: { reserved, overcommit: { vcpus, memory: 1 } } });
      await daemon.advance(2000);
      return condition(daemon, teamB).slice(0, 7);
    };
    expect([await at(1.25), await at(1.24)]).toEqual(['unsaid', 'False H']);
  });
});

describe('what is written down', () => {
  test('is written before anything is done upon it, and nobody is let in without', async () => {
    const daemon = daemonOn({});
    const replace = daemon.runtime.files.replace.bind(daemon.runtime.files);
    let isFull = true;
    daemon.runtime.files.replace = async (path, ...more) => {
      if (isFull && path === promisesFile) throw new FileError('NoSpace', `writing ${path}`);
      return replace(path, ...more);
    };
    describeAs(daemon, { [teamA]: limits() });
    await submit(daemon, teamA, web());
    await daemon.advance(60_000);
    expect(condition(daemon, teamA)).toMatch(
      /^Unknown HostUnknown .*writing \/var\/lib\/unnest\/promises.json/,
    );
    expect(problems(daemon)).toEqual([' NotStored']);
    expect(running(daemon)).toEqual([]);
    isFull = false;
    await daemon.advance(10_000);
    expect(running(daemon)).toHaveLength(1);
  });

  test('is nothing where nobody asks for anything', async () => {
    const daemon = daemonOn({ [teamA]: {} });
    await submit(daemon, teamA, web());
    expect(words(daemon, teamA)).toBe('Running Synced');
    expect(daemon.runtime.disk.text(promisesFile)).toBe(null);
    expect(daemon.control.hostSum().unlimited).toEqual([teamA]);
  });
});

describe('a subnet', () => {
  const network = (cidr: string) => ({ network: { cidr } });

  test('of another partition, or of the host, is nobody else s', async () => {
    const daemon = daemonOn({ [teamA]: network('10.20.0.0/24') });
    await daemon.advance(2000);
    describeAs(daemon, { [teamA]: network('10.20.0.0/24'), [teamB]: network('10.20.0.0/16') });
    await submit(daemon, teamB, web());
    expect(condition(daemon, teamB)).toMatch(/^False SubnetTaken .*10.20.0.0\/24/);
    daemon.runtime.hostAddresses.push({ name: 'eth0', cidr: '192.168.7.5/24' });
    describeAs(daemon, { [teamA]: network('10.20.0.0/24'), [teamB]: network('192.168.7.0/29') });
    await daemon.advance(2000);
    expect(condition(daemon, teamB)).toMatch(/^False SubnetTaken .*eth0 \(192.168.7.5\/24\)/);
    expect(problems(daemon)).toEqual(['team-b.yaml SubnetTaken']);
    describeAs(daemon, { [teamA]: network('10.20.0.0/24'), [teamB]: network('10.20.1.0/24') });
    await daemon.advance(2000);
    expect(words(daemon, teamB)).toBe('Running Synced');
  });
});

describe('a whole daemon', () => {
  test('keeps for the host what its configuration says, and tells who does not fit', async () => {
    const { runtime, daemon } = await virtualUnnestd();
    const described = (memory: string) => {
      const [, { value }] = descriptionOf(teamA, { source: 'Directory', ...limits({ memory }) });
      runtime.disk.write(`/etc/unnest/partitions/${teamA}.yaml`, JSON.stringify(value));
      return runtime.advance(5000);
    };
    const status = () => runtime.disk.text(`/run/unnest/status/${teamA}.json`) ?? '';
    // Of 64 GiB one is kept.
    await described('64GiB');
    expect(status()).toContain('FitsHost');
    expect(status()).toContain('no room for limits.memory');
    await described('63GiB');
    expect(status()).not.toContain('FitsHost');
    const closing = daemon.close();
    await runtime.advance(5000);
    await closing;
  });
});
