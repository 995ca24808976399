import type { CallOptions } from './call-options.ts';
import type { Caller } from './caller.ts';
import { connectProcedures as procedures } from './procedures-connect.ts';

/** A version of libvirt or of the hypervisor. */
export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly release: number;
}

/** Which guest to ask about; libvirt chooses what is not given. */
export interface DomainCapabilitiesOptions extends CallOptions {
  readonly emulator?: string;
  /** Such as `x86_64`. */
  readonly architecture?: string;
  /** Such as `q35`. */
  readonly machine?: string;
  /** Such as `kvm` or `qemu`. */
  readonly virtType?: string;
}

/** Methods of `connection.node`: the host and the software on it. */
export function nodeReads({ call }: Pick<Caller, 'call'>) {
  return {
    info: (options?: CallOptions) => call(procedures.nodeInfo, undefined, options),
    /** XML of what the host can do. Slow the first time after libvirtd's start: it tries. */
    capabilities: (options?: CallOptions) => call(procedures.capabilities, undefined, options),
    libvirtVersion: async (options?: CallOptions) =>
      version(await call(procedures.libvirtVersion, undefined, options)),
    hypervisorVersion: async (options?: CallOptions) =>
      version(await call(procedures.hypervisorVersion, undefined, options)),
    hostname: (options?: CallOptions) => call(procedures.hostname, undefined, options),
    uri: (options?: CallOptions) => call(procedures.uri, undefined, options),
    freeMemoryBytes: (options?: CallOptions) => call(procedures.freeMemory, undefined, options),
  };
}

/** Methods of `connection.node` that libvirtd denies to read-only connections. */
export function nodeWrites({ call }: Pick<Caller, 'call'>) {
  return {
    /** XML of what a domain can have. */
    domainCapabilities: (options: DomainCapabilitiesOptions = {}) => {
      const { emulator = null, architecture = null, machine = null, virtType = null } = options;
      return call(
        procedures.domainCapabilities,
        { emulator, architecture, machine, virtType, flags: 0 },
        options,
      );
    },
  };
}

/** libvirt packs a version into one number: major * 1,000,000 + minor * 1,000 + release. */
function version(packed: bigint): Version {
  const number = Number(packed);
  return {
    major: Math.floor(number / 1_000_000),
    minor: Math.floor(number / 1000) % 1000,
    release: number % 1000,
  };
}
