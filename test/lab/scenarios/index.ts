/** All scenarios, in the order in which they are run. */
import type { Scenario } from '../scenario.ts';
import { core } from './core.ts';
import { newKernel } from './new-kernel.ts';
import { noSystemd } from './no-systemd.ts';
import { reboot } from './reboot.ts';
import { restart } from './restart.ts';
import { upgrade } from './upgrade.ts';
import { who } from './who.ts';

export const scenarios: readonly Scenario[] = [
  core,
  restart,
  reboot,
  who,
  noSystemd,
  upgrade,
  newKernel,
];
