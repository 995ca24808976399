/** All scenarios, in the order in which they are run. */
import type { Scenario } from '../scenario.ts';
import { balloon } from './balloon.ts';
import { carving } from './carving.ts';
import { channel } from './channel.ts';
import { core } from './core.ts';
import { heartbeat } from './heartbeat.ts';
import { limitsHold } from './limits.ts';
import { neighbour } from './neighbour.ts';
import { newKernel } from './new-kernel.ts';
import { noSystemd } from './no-systemd.ts';
import { reboot } from './reboot.ts';
import { restart } from './restart.ts';
import { storesCompared } from './stores.ts';
import { streams } from './streams.ts';
import { supply } from './supply.ts';
import { thin } from './thin.ts';
import { thinContract } from './thin-contract.ts';
import { upgrade } from './upgrade.ts';
import { who } from './who.ts';

export const scenarios: readonly Scenario[] = [
  core,
  restart,
  reboot,
  limitsHold,
  carving,
  channel,
  supply,
  heartbeat,
  balloon,
  who,
  streams,
  thin,
  thinContract,
  storesCompared,
  noSystemd,
  upgrade,
  newKernel,
  neighbour,
];

/** @throws Error if there is none of that name */
export function scenarioNamed(name: string): Scenario {
  const found = scenarios.find((each) => each.name === name);
  if (found !== undefined) return found;
  throw new Error(
    `no scenario ${name}; there are ${scenarios.map((each) => each.name).join(', ')}`,
  );
}
