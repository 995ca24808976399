/** The number of a group, from /etc/group: groups from elsewhere (LDAP) are not found. */
import { readFile } from 'node:fs/promises';
import { FileError } from '../runtime.ts';
import { whileDoing } from './file-error.ts';

export async function groupId(name: string): Promise<number> {
  const text = await whileDoing('reading /etc/group', () => readFile('/etc/group', 'utf8'));
  for (const line of text.split('\n')) {
    const [group, , id] = line.split(':');
    if (group === name && id !== undefined && /^\d+$/.test(id)) return Number(id);
  }
  const mend = `\`groupadd ${name}\` makes it, and operatorGroup names another`;
  throw new FileError('Failed', `there is no group ${name} in /etc/group: ${mend}`);
}
