/** The host's side of a guest's NIC. */
import { existsSync } from 'node:fs';

/**
 * Whether a tap is a port of a bridge. A network that is stopped and started again has a new bridge,
 * and its guests' taps are in none. Of an interface that is not here, behind a libvirt elsewhere,
 * nothing is known, and it is taken for plugged in.
 */
export function isPluggedIn(tap: string): boolean {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$/.test(tap)) return true;
  const path = `/sys/class/net/${tap}`;
  return !existsSync(path) || existsSync(`${path}/master`);
}
