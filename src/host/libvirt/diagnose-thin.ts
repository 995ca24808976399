/** Whether the thin pool that Volumes are put in can be worked with, and nobody looks into what is in it. */
import { poolName, type ThinPool } from '../../model/thin-pool.ts';
import { formatSize } from '../../model/sizes.ts';
import { explainError } from '../host-error.ts';
import { type Lvm, machineLvm } from '../local/lvm.ts';
import { storeIn } from '../local/thin-pool.ts';
import { machineUdev, type Udev } from '../local/udev-rule.ts';
import type { Finding } from './diagnose.ts';

const name = 'thin pool';

/** @param thinPool null: there is none, and nothing to be said */
export async function diagnoseThinPool(
  thinPool: ThinPool | null,
  signal: AbortSignal,
  lvm: Lvm = machineLvm,
  udev: Pick<Udev, 'requireRule'> = machineUdev(),
): Promise<readonly Finding[]> {
  if (thinPool === null) return [];
  return [await checkPool(thinPool, lvm, signal), await checkSilence(lvm, udev, signal)];
}

async function checkPool(thin: ThinPool, lvm: Lvm, signal: AbortSignal): Promise<Finding> {
  try {
    const { refusal, freeBytes } = storeIn(await lvm.report(thin.group, signal), thin);
    if (refusal !== null) return warning(refusal, 'until then no Volume is made, and none grows');
    const room = formatSize(freeBytes ?? 0);
    return { name, status: 'ok', finding: `${poolName(thin)} has room for ${room}`, mend: null };
  } catch (error) {
    return warning(
      explainError(error),
      'as root, `lvs` shows what there is; store.thinPool names it',
    );
  }
}

/** What a guest has written must mean nothing to the host. */
async function checkSilence(
  lvm: Lvm,
  udev: Pick<Udev, 'requireRule'>,
  signal: AbortSignal,
): Promise<Finding> {
  try {
    await udev.requireRule();
    if (await lvm.scansVolumes(signal)) {
      const mend = 'set devices/scan_lvs to 0 in lvm.conf, as it is by default';
      return warning('LVM looks for physical volumes in the disks of guests', mend);
    }
    const finding = 'udev and LVM leave the disks of guests alone';
    return { name, status: 'ok', finding, mend: null };
  } catch (error) {
    return warning(explainError(error), 'unnest host install');
  }
}

function warning(finding: string, mend: string): Finding {
  return { name, status: 'warning', finding, mend };
}
