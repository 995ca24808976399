import type { Observed } from '../model/domain.ts';
import type { Block } from './change.ts';

/** A guest that could not be read may have anything; null: all could be. */
export function unreadUsers({ domains, unlisted }: Observed): Block | null {
  if (unlisted !== null) return { code: 'HostUnknown', message: unlisted };
  for (const [name, seen] of domains) {
    if (seen.status !== 'unknown') continue;
    const message = `${name} may have it, and could not be read: ${seen.why}`;
    return { code: 'HostUnknown', message };
  }
  return null;
}
