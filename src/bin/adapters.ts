/** Which adapter is meant is said by the scheme of `--host`: `sim:` or, else, libvirt's. */
import type { Environment } from '../cli/environment.ts';
import { diagnose } from '../host/libvirt/diagnose.ts';
import { openLibvirtHost, openLibvirtView } from '../host/libvirt/open.ts';
import { lockPartition } from '../host/local/lock.ts';
import {
  diagnoseSimulated,
  isSimulated,
  lockSimulated,
  openSimulatedHost,
  openSimulatedView,
} from '../host/simulated/open.ts';

type Adapter = Pick<Environment, 'openView' | 'openHost' | 'lock' | 'diagnose'>;

const libvirt: Adapter = {
  openView: openLibvirtView,
  openHost: openLibvirtHost,
  lock: ({ stateDir, partition }) => lockPartition(stateDir, partition),
  diagnose,
};

const simulated: Adapter = {
  openView: openSimulatedView,
  openHost: openSimulatedHost,
  lock: lockSimulated,
  diagnose: diagnoseSimulated,
};

const adapterOf = ({ uri }: { readonly uri: string }) => (isSimulated(uri) ? simulated : libvirt);

export const adapters: Adapter = {
  openView: (target, signal) => adapterOf(target).openView(target, signal),
  openHost: (target, signal) => adapterOf(target).openHost(target, signal),
  lock: (target) => adapterOf(target).lock(target),
  diagnose: (target, signal) => adapterOf(target).diagnose(target, signal),
};
