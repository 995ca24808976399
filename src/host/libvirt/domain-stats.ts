/** libvirt's bulk statistics: of all domains that are asked about, in as few calls as it takes. */
import type { Domain, ParamMap, ReadOnlyConnection, StatsGroup } from '../../libvirt/index.ts';
import type { GuestUsage } from '../../model/domain.ts';

/** How many domains libvirtd takes in one request. */
const domainsMax = 4096;

interface Asked {
  readonly groups: readonly StatsGroup[];
  /** Leaves out what would have to wait for a guest. */
  readonly noWait?: boolean;
  readonly signal: AbortSignal;
}

interface StatsRecord {
  readonly domain: Domain;
  readonly params: ParamMap;
}

/** Of those that are there, in any order. */
export async function statsOf(
  { domains }: ReadOnlyConnection,
  handles: readonly Domain[],
  asked: Asked,
): Promise<readonly StatsRecord[]> {
  const records: StatsRecord[] = [];
  for (let from = 0; from < handles.length; from += domainsMax) {
    const some = handles.slice(from, from + domainsMax);
    records.push(...(await domains.stats({ ...asked, domains: some })));
  }
  return records;
}

/** In the order of the question. A guest whose monitor hangs does not keep the others waiting. */
export async function readGuestUsage(
  connection: ReadOnlyConnection,
  handles: readonly Domain[],
  signal: AbortSignal,
): Promise<readonly (GuestUsage | null)[]> {
  const groups = ['cpuTotal', 'balloon'] as const;
  const records = await statsOf(connection, handles, { groups, noWait: true, signal });
  const found = new Map(records.map((record) => [record.domain.uuid, usageIn(record)]));
  return handles.map(({ uuid }) => found.get(uuid) ?? null);
}

const nanosecondsPerMicrosecond = 1000;

/** libvirt 9.0 counts CPU time for one that does not run, too. */
function usageIn({ domain, params }: StatsRecord): GuestUsage | null {
  const time = params.get('cpu.time');
  if (domain.id < 0 || time === undefined) return null;
  const rss = params.get('balloon.rss');
  return {
    cpuUs: Math.floor(Number(time) / nanosecondsPerMicrosecond),
    memoryBytes: rss === undefined ? null : Number(rss) * 1024,
  };
}
