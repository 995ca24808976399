/** What a simulated host says of changes: as libvirt's events do, and of as little as they do. */
import type { DomainSign, HostSign } from '../ports.ts';
import type { CallName } from './calls.ts';
import type { TellSettled } from './settle.ts';
import type { World } from './world.ts';

/** Of a shutdown nothing is said before the guest obeys; of memory and addresses nothing at all. */
const domainSigns: Partial<Record<CallName, DomainSign>> = {
  define: 'defined',
  undefine: 'undefined',
  start: 'started',
  resume: 'resumed',
  powerOff: 'stopped',
  attachDisk: 'device',
  noteStop: 'metadata',
  noteReady: 'metadata',
};

const networkSigns: readonly CallName[] = [
  'networks.define',
  'networks.start',
  'networks.stop',
  'networks.undefine',
];

/** @param subjects as a `Call` has them */
export function signsOf(
  name: CallName,
  { domains }: World,
  subjects: readonly string[],
): readonly HostSign[] {
  const [subject = ''] = subjects;
  if (networkSigns.includes(name)) {
    return [{ kind: 'network', networkName: subject.replace(/^network /, '') }];
  }
  const event = domainSigns[name];
  if (event === undefined) return [];
  const domain = [...domains.values()].find(({ domainName }) => domainName === subject);
  return domain === undefined
    ? []
    : [{ kind: 'domain', domainName: subject, uuid: domain.uuid, event }];
}

/** A world in a file is settled anew at every read, and what is so is still told once. */
export function settledSigns(onSign: (sign: HostSign) => void): TellSettled {
  const told = new Set<string>();
  return ({ domainName, uuid }, { runId }, event) => {
    const key = `${uuid} ${runId} ${event}`;
    if (told.has(key)) return;
    told.add(key);
    onSign({ kind: 'domain', domainName, uuid, event });
  };
}
