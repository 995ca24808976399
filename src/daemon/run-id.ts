/** Which run of a guest goes on, asked of the host: what the last look saw may be over by now. */
import type { Host } from '../host/ports.ts';
import { domainName, type InstallationId, secondaryUuid } from '../model/identity.ts';
import type { PartitionName, SecondaryName } from '../model/names.ts';

export interface Whose {
  readonly installation: InstallationId;
  readonly partition: PartitionName;
  readonly secondary: SecondaryName;
}

/** libvirt's id of it; null: none goes on. Never rejects. */
export async function readRunId(
  host: Host,
  whose: Whose,
  signal: AbortSignal,
): Promise<number | null | 'unknown'> {
  const { partition, secondary } = whose;
  const ref = { uuid: secondaryUuid(whose), domainName: domainName(partition, secondary) };
  const [seen] = await host.domains.read([ref], signal).catch(() => []);
  switch (seen?.status) {
    case 'present':
      return seen.value.runId;
    case 'absent':
      return null;
    case 'unknown':
    case undefined:
      return 'unknown';
  }
}
