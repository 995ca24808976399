/**
 * What keeps the host's own programs from looking into Volumes that are block devices. udev would: when one appears, and
 * each time that somebody has written to it and closed it, blkid reads it, as root, and what it finds decides what
 * else is run (LVM, btrfs, systemd). A rule of ours says for our logical volumes, by their name, that nobody looks.
 * That it does is not believed but seen, in udev's own books, before a guest's bytes can be there.
 */
import { readFile, stat } from 'node:fs/promises';
import { HostError } from '../host-error.ts';
import { stamped } from './install-stamp.ts';
import { hasErrno } from './io-error.ts';

/**
 * Behind the rules of LVM, which say which logical volume it is, and before those that look into it. Debian numbers them
 * 56 and 60, LVM itself 11 and 13.
 */
export const UDEV_RULE_PATHS = [
  '/etc/udev/rules.d/12-unnest.rules',
  '/etc/udev/rules.d/58-unnest.rules',
] as const;

export function udevRuleText(): string {
  return `# Volumes of unnest hold what guests have written: nothing of the host looks into them.
ACTION!="add|change", GOTO="unnest_end"
ENV{DM_LV_NAME}!="unnest.*", GOTO="unnest_end"
ENV{DM_UDEV_DISABLE_DISK_RULES_FLAG}="1"
ENV{DM_UDEV_DISABLE_OTHER_RULES_FLAG}="1"
OPTIONS:="nowatch"
LABEL="unnest_end"
`;
}

/** Of this machine, or of a test. */
export interface Udev {
  /** Rejects unless the rule is there. */
  requireRule(): Promise<void>;
  /** Rejects unless udev has left this block device alone. @param path leads to it */
  requireQuiet(path: string): Promise<void>;
}

const remedy = 'unnest host install puts it there';

export function machineUdev(root = '/'): Udev {
  const at = (path: string) => `${root === '/' ? '' : root}${path}`;
  /** Without it nobody looks, and LVM makes the nodes itself. */
  const isThere = () => exists(at('/run/udev/control'));
  return {
    requireRule: async () => {
      if (!(await isThere())) return;
      for (const path of UDEV_RULE_PATHS) {
        if ((await textOf(at(path))) === stamped(udevRuleText())) continue;
        throw new HostError('Refused', `${path} is not this version's: ${remedy}`);
      }
    },
    requireQuiet: async (path) => {
      if (!(await isThere())) return;
      const { rdev } = await stat(path);
      const said = (await textOf(at(`/run/udev/data/b${numbersOf(rdev)}`))) ?? '';
      if (isQuiet(said)) return;
      throw new HostError('Refused', `udev does not leave ${path} alone: ${remedy}`);
    },
  };
}

/** @param said what udev's database has of a device: a line for each property, behind `E:` */
export function isQuiet(said: string): boolean {
  const properties = new Set(said.split('\n'));
  const isFlagged =
    properties.has('E:DM_UDEV_DISABLE_DISK_RULES_FLAG=1') &&
    properties.has('E:DM_UDEV_DISABLE_OTHER_RULES_FLAG=1');
  // Whatever blkid has found it says by these.
  return isFlagged && !/^E:ID_(?:FS|PART)_/m.test(said);
}

/** As Linux splits the number of a device (makedev(3)). */
export function numbersOf(rdev: number): string {
  const number = BigInt(rdev);
  const major = ((number >> 8n) & 0xfffn) | ((number >> 32n) & ~0xfffn);
  const minor = (number & 0xffn) | ((number >> 12n) & ~0xffn);
  return `${major}:${minor}`;
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return false;
    throw error;
  }
}

async function textOf(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return null;
    throw error;
  }
}
