import type { CallOptions } from './call-options.ts';
import type { Caller } from './caller.ts';
import { cpuMap } from './cpu-map.ts';
import { flagSet, type OptionsOf } from './flags.ts';
import type { Domain } from './handles.ts';
import { type ImpactOptions, impactFlags } from './impact.ts';
import { domainProcedures } from './procedures-domain.ts';
import { tuningProcedures as procedures } from './procedures-domain-tuning.ts';
import {
  blkioParams,
  blockIoTuneParams,
  interfaceParams,
  memoryParams,
  numaParams,
  type ParamsOf,
  schedulerParams,
  toParams,
} from './tuning-params.ts';
import type { TypedParam } from './wire/typed-params.ts';

const memoryFlags = flagSet({ live: 1, config: 2, maximum: 4 });
export type SetMemoryOptions = OptionsOf<typeof memoryFlags> & CallOptions;

const vcpuFlags = flagSet({ live: 1, config: 2, maximum: 4, guest: 8, hotpluggable: 16 });
export type SetVcpusOptions = OptionsOf<typeof vcpuFlags> & CallOptions;

const deviceFlags = flagSet({ live: 1, config: 2, force: 4 });
export type DeviceOptions = OptionsOf<typeof deviceFlags> & CallOptions;

const resizeFlags = flagSet({ wholeDevice: 2 });
/** `wholeDevice`: to the size of the host's block device (libvirt >= 10.0). */
export type BlockResizeOptions = OptionsOf<typeof resizeFlags> & CallOptions;
/** The size is in bytes, not in KiB. */
const resizeInBytes = 1;

/** Changing methods of `connection.domains`: memory, vCPUs, devices and limits. */
export function domainTuningWrites({ call }: Pick<Caller, 'call'>) {
  return {
    /** Asks for another amount of memory, in KiB; live, the guest's balloon follows or does not. */
    setMemory: (domain: Domain, memoryKiB: number, options: SetMemoryOptions = {}) =>
      call(procedures.setMemory, { domain, memoryKiB, flags: memoryFlags(options) }, options),
    /** Asks for another number of vCPUs; unplugging may be done in part when it times out. */
    setVcpus: (domain: Domain, vcpus: number, options: SetVcpusOptions = {}) =>
      call(procedures.setVcpus, { domain, vcpus, flags: vcpuFlags(options) }, options),
    /** Plugs (or unplugs) single vCPUs, given as libvirt writes them: `1-3,5`. */
    setVcpu: (domain: Domain, vcpus: string, isEnabled: boolean, options: ImpactOptions = {}) =>
      call(
        procedures.setVcpu,
        { domain, vcpus, state: isEnabled ? 1 : 0, flags: impactFlags(options) },
        options,
      ),
    setMemoryStatsPeriod: (domain: Domain, periodSeconds: number, options: ImpactOptions = {}) =>
      call(
        procedures.setMemoryStatsPeriod,
        { domain, periodSeconds, flags: impactFlags(options) },
        options,
      ),
    attachDevice: (domain: Domain, xml: string, options: DeviceOptions = {}) =>
      call(procedures.attachDevice, { domain, xml, flags: deviceFlags(options) }, options),
    /** Asks the guest to let go of a device; that it has comes as `device-removed`. */
    detachDevice: (domain: Domain, xml: string, options: DeviceOptions = {}) =>
      call(procedures.detachDevice, { domain, xml, flags: deviceFlags(options) }, options),
    detachDeviceAlias: (domain: Domain, alias: string, options: ImpactOptions = {}) =>
      call(procedures.detachDeviceAlias, { domain, alias, flags: impactFlags(options) }, options),
    updateDevice: (domain: Domain, xml: string, options: DeviceOptions = {}) =>
      call(procedures.updateDevice, { domain, xml, flags: deviceFlags(options) }, options),
    blockResize: (
      domain: Domain,
      disk: string,
      sizeBytes: number | bigint,
      options: BlockResizeOptions = {},
    ) =>
      call(
        procedures.blockResize,
        { domain, disk, size: BigInt(sizeBytes), flags: resizeInBytes + resizeFlags(options) },
        options,
      ),
    setBlockIoTune: (
      domain: Domain,
      disk: string,
      params: ParamsOf<typeof blockIoTuneParams>,
      options: ImpactOptions = {},
    ) =>
      call(
        procedures.setBlockIoTune,
        {
          domain,
          device: disk,
          params: toParams(blockIoTuneParams, params),
          flags: impactFlags(options),
        },
        options,
      ),
    setInterfaceParams: (
      domain: Domain,
      device: string,
      params: ParamsOf<typeof interfaceParams>,
      options: ImpactOptions = {},
    ) =>
      call(
        procedures.setInterfaceParams,
        { domain, device, params: toParams(interfaceParams, params), flags: impactFlags(options) },
        options,
      ),
    setSchedulerParams: (
      domain: Domain,
      params: ParamsOf<typeof schedulerParams>,
      options: ImpactOptions = {},
    ) =>
      call(
        procedures.setSchedulerParams,
        fields(domain, toParams(schedulerParams, params), options),
        options,
      ),
    setMemoryParams: (
      domain: Domain,
      params: ParamsOf<typeof memoryParams>,
      options: ImpactOptions = {},
    ) =>
      call(
        procedures.setMemoryParams,
        fields(domain, toParams(memoryParams, params), options),
        options,
      ),
    setBlkioParams: (
      domain: Domain,
      params: ParamsOf<typeof blkioParams>,
      options: ImpactOptions = {},
    ) =>
      call(
        procedures.setBlkioParams,
        fields(domain, toParams(blkioParams, params), options),
        options,
      ),
    setNumaParams: (
      domain: Domain,
      params: ParamsOf<typeof numaParams>,
      options: ImpactOptions = {},
    ) =>
      call(
        procedures.setNumaParams,
        fields(domain, toParams(numaParams, params), options),
        options,
      ),
    launchSecurityInfo: (domain: Domain, options?: CallOptions) =>
      call(domainProcedures.launchSecurityInfo, { domain, flags: 0 }, options),
    setLaunchSecurityState: (
      domain: Domain,
      params: readonly TypedParam[],
      options?: CallOptions,
    ) => call(procedures.setLaunchSecurityState, { domain, params, flags: 0 }, options),
    /** Lets a vCPU run on these host CPUs only. */
    pinVcpu: (domain: Domain, vcpu: number, cpus: readonly number[], options: ImpactOptions = {}) =>
      call(
        procedures.pinVcpu,
        { domain, vcpu, cpuMap: cpuMap(cpus), flags: impactFlags(options) },
        options,
      ),
    pinEmulator: (domain: Domain, cpus: readonly number[], options: ImpactOptions = {}) =>
      call(
        procedures.pinEmulator,
        { domain, cpuMap: cpuMap(cpus), flags: impactFlags(options) },
        options,
      ),
  };
}

function fields(domain: Domain, params: readonly TypedParam[], options: ImpactOptions) {
  return { domain, params, flags: impactFlags(options) };
}
