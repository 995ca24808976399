import type { CallOptions } from './call-options.ts';
import type { Caller } from './caller.ts';
import { flagSet, type OptionsOf } from './flags.ts';
import type { Domain } from './handles.ts';
import { type ImpactOptions, impactFlags } from './impact.ts';
import { memoryStatsMap } from './memory-stats.ts';
import { domainProcedures } from './procedures-domain.ts';
import { tuningProcedures as procedures } from './procedures-domain-tuning.ts';

/** Asks for parameters that are strings, which libvirt otherwise leaves out. */
const stringParamsFlag = 4;

/** More scheduler parameters than there are; libvirt wants a positive number here. */
const schedulerParamsMax = 16;

const vcpuFlags = flagSet({ live: 1, config: 2, maximum: 4, guest: 8 });
export type GetVcpusOptions = OptionsOf<typeof vcpuFlags> & CallOptions;

const addressSources = { lease: 0, agent: 1, arp: 2 } as const;
export type AddressSource = keyof typeof addressSources;

/** Reading methods of `connection.domains`: figures, limits and devices. */
export function domainTuningReads({ call }: Pick<Caller, 'call'>) {
  return {
    memoryStats: async (domain: Domain, options?: CallOptions) =>
      memoryStatsMap(
        await call(procedures.memoryStats, { domain, countMax: 64, flags: 0 }, options),
      ),
    vcpus: (domain: Domain, options: GetVcpusOptions = {}) =>
      call(procedures.vcpus, { domain, flags: vcpuFlags(options) }, options),
    /** Sizes of a disk, by target name or source path. A guest's image decides what they are. */
    blockInfo: (domain: Domain, disk: string, options?: CallOptions) =>
      call(procedures.blockInfo, { domain, disk, flags: 0 }, options),
    blockIoTune: (domain: Domain, disk: string, options: ImpactOptions = {}) =>
      counted(
        (count, flags) =>
          call(procedures.blockIoTune, { domain, device: disk, count, flags }, options),
        options,
      ),
    schedulerParams: (domain: Domain, options: ImpactOptions = {}) =>
      call(
        procedures.schedulerParams,
        { domain, count: schedulerParamsMax, flags: impactFlags(options) },
        options,
      ),
    memoryParams: (domain: Domain, options: ImpactOptions = {}) =>
      counted(
        (count, flags) => call(procedures.memoryParams, { domain, count, flags }, options),
        options,
      ),
    blkioParams: (domain: Domain, options: ImpactOptions = {}) =>
      counted(
        (count, flags) => call(procedures.blkioParams, { domain, count, flags }, options),
        options,
      ),
    numaParams: (domain: Domain, options: ImpactOptions = {}) =>
      counted(
        (count, flags) => call(procedures.numaParams, { domain, count, flags }, options),
        options,
      ),
    interfaceParams: (domain: Domain, device: string, options: ImpactOptions = {}) =>
      counted(
        (count, flags) =>
          call(procedures.interfaceParams, { domain, device, count, flags }, options),
        options,
      ),
    /**
     * Addresses of the guest. From `agent` and `arp` they are what the guest says they are;
     * `agent` is denied on a read-only connection.
     */
    interfaceAddresses: (domain: Domain, source: AddressSource, options?: CallOptions) =>
      call(
        domainProcedures.interfaceAddresses,
        { domain, source: addressSources[source], flags: 0 },
        options,
      ),
  };
}

/** Asks how many parameters there are, and then for that many. */
async function counted<T>(
  get: (count: number, flags: number) => Promise<{ readonly params: T; readonly count: number }>,
  options: ImpactOptions,
): Promise<T> {
  const flags = impactFlags(options) + stringParamsFlag;
  const { count } = await get(0, flags);
  return (await get(count, flags)).params;
}
