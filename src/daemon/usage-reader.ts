/**
 * What a partition uses just now. One look at a time for each partition: whoever asks meanwhile gets what
 * it finds, so that nobody decides how often the host is asked.
 */
import type { HostView } from '../host/ports.ts';
import { domainUuid, type InstallationId, slicePath } from '../model/identity.ts';
import type { PartitionName } from '../model/names.ts';
import type { PartitionStatus } from '../report/partition-status.ts';
import type { GuestSample, UsageSample } from '../report/usage-sample.ts';
import type { Clock } from './runtime.ts';

export interface UsageReaderOptions {
  readonly partition: PartitionName;
  readonly host: Pick<HostView, 'domains' | 'slices' | 'installation'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly status: () => PartitionStatus;
  /** Breaks off what is under way. */
  readonly abort: AbortSignal;
}

export class UsageReader {
  readonly #options: UsageReaderOptions;
  readonly #reading: { slice: Promise<UsageSample> | null; all: Promise<UsageSample> | null };

  constructor(options: UsageReaderOptions) {
    this.#options = options;
    this.#reading = { slice: null, all: null };
  }

  /** Never rejects. @param of `slice`: of the partition as a whole; `all`: also of each Secondary that runs */
  read(of: 'slice' | 'all'): Promise<UsageSample> {
    this.#reading[of] ??= this.#look(of).finally(() => (this.#reading[of] = null));
    return this.#reading[of];
  }

  async #look(of: 'slice' | 'all'): Promise<UsageSample> {
    const { clock, host, abort } = this.#options;
    const installation = await host.installation.read().catch(() => null);
    const slice = installation === null ? null : await this.#slice(installation);
    const atMs = clock.now();
    const secondaries = of === 'all' && !abort.aborted ? await this.#guests() : null;
    return { atMs, slice, secondaries };
  }

  async #slice(installation: InstallationId): Promise<UsageSample['slice']> {
    const { host, partition, abort } = this.#options;
    const path = slicePath({ installation, partition });
    // A host without cgroup v2 has none.
    const seen = await host.slices.find({ path }, abort).catch(() => null);
    if (seen?.status !== 'present') return null;
    const { memoryBytes, cpuUs, processes } = seen.value.usage;
    return { memoryBytes, cpuUs, processes };
  }

  async #guests(): Promise<readonly GuestSample[] | null> {
    const { host, status, abort } = this.#options;
    const known = status().secondaries.flatMap(({ name, domain, uuid }) => {
      const id = uuid === null ? undefined : domainUuid(uuid);
      return domain === null || id === undefined ? [] : [{ name, domainName: domain, uuid: id }];
    });
    const seen = await host.domains.usage(known, abort).catch(() => null);
    return seen && known.flatMap(({ name }, index) => sampleOf(name, seen[index] ?? null));
  }
}

function sampleOf(
  name: GuestSample['name'],
  usage: Omit<GuestSample, 'name'> | null,
): readonly GuestSample[] {
  return usage === null ? [] : [{ name, cpuUs: usage.cpuUs, memoryBytes: usage.memoryBytes }];
}
