/** The runtime that is a machine: the one place where the daemon meets Node's own I/O. */
import type { Runtime } from '../runtime.ts';
import { machineAddresses } from './addresses.ts';
import { machineFiles } from './files.ts';
import { machineSockets } from './sockets.ts';
import { machineClock, machineTimers } from './time.ts';

export function machineRuntime(): Runtime {
  return {
    clock: machineClock,
    timers: machineTimers,
    files: machineFiles,
    sockets: machineSockets,
    random: Math.random,
    addresses: machineAddresses,
  };
}
