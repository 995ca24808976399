/**
 * A simulated host for a daemon: signs of what is done through it and of what its guests do, as far
 * as somebody looks. What else a test does to the world, it says itself.
 */
import { HostError } from '../host-error.ts';
import type { VmRun } from '../../model/vm-run.ts';
import type { DaemonHosts, HostSign } from '../ports.ts';
import { SignListeners } from '../sign-listeners.ts';
import type { Call } from './calls.ts';
import { type FaultRule, Faults } from './faults.ts';
import { type SimulationOptions, simulatedHost } from './host.ts';

export interface SimulatedHostsOptions extends Omit<SimulationOptions, 'faults' | 'onSign'> {
  readonly rules?: readonly FaultRule[];
  /** Waits as long as a call is to take. */
  readonly latency?: (call: Call) => Promise<void>;
}

export interface SimulatedHosts extends DaemonHosts {
  readonly faults: Faults;
  /** Who runs with a vsock address, as the test has it. */
  readonly running: VmRun[];
  /** Gives a sign, as the host would of what somebody else has done. */
  touch(sign: HostSign): void;
  /** From now on every call fails, as with a libvirtd that is gone. */
  lose(message: string): void;
  restore(): void;
}

export function simulatedHosts({
  rules = [],
  latency,
  ...options
}: SimulatedHostsOptions): SimulatedHosts {
  const listeners = new SignListeners();
  let lost: string | null = null;
  const whileLost: FaultRule = ({ name }) =>
    lost === null
      ? null
      : {
          kind: 'error',
          error: new HostError('Unreachable', `${name}: there is no connection`, {
            cause: new Error(lost),
          }),
        };
  const faults = new Faults([whileLost, ...rules], latency);
  const onSign = (sign: HostSign) => {
    if (lost === null) listeners.tell(sign);
  };
  const host = simulatedHost({ ...options, faults, onSign });
  const running: VmRun[] = [];
  return {
    faults,
    running,
    domains: host.domains,
    vmRuns: {
      of: (domainNames, signal) =>
        faults.carryOut('vmRuns.of', domainNames, signal, {
          whole: async () => ({
            runs: running.filter(({ domainName }) => domainNames.includes(domainName)),
            unread: [],
          }),
        }),
    },
    // Whose a call is, its arguments say.
    host: () => host,
    onSign: (listener) => listeners.add(listener),
    touch: onSign,
    lose: (message) => {
      lost = message;
      listeners.tell({ kind: 'lost', message });
    },
    restore: () => {
      lost = null;
      listeners.tell({ kind: 'back' });
    },
    close: async () => {
      lost = 'it was closed';
      listeners.end();
    },
  };
}
