/**
 * Whether a partition's network leaves the host as its Primary's own NIC does. Another one may be
 * what the operator wants, who has named it: it is told, and nothing is refused for it.
 */
import type { Observed } from '../model/domain.ts';
import { fieldsOfNetwork } from '../model/network.ts';
import type { DesiredState } from '../model/secondary.ts';
import { uplinkOf } from '../partition/uplink.ts';
import type { Statement } from './condition.ts';

/** @param observed null: nothing was */
export function uplinkStatements(
  observed: Observed | null,
  { network: spec }: Pick<DesiredState, 'network'>,
): readonly Statement[] {
  if (observed?.network.status !== 'present' || spec === null || spec === 'unspoken') return [];
  const fields = fieldsOfNetwork(observed.network.value);
  if (fields === null || fields.mode === 'isolated') return [];
  const { uplinks } = observed;
  switch (uplinks.status) {
    case 'absent':
      return [];
    case 'unknown':
      return [statement('Unknown', 'HostUnknown', uplinks.why)];
    case 'present':
      break;
  }
  const own = uplinkOf(uplinks.value);
  const leavesBy = fields.uplink ?? 'whichever interface the host routes by';
  if (own.kind === 'undecided') {
    // Whoever has named one has not asked.
    if (spec.uplink !== null) return [];
    const message = `${own.why}; the network leaves by ${leavesBy}, until spec.network.uplink names another`;
    return [statement('Unknown', 'UplinkUndecided', message)];
  }
  // One that was made before there was a choice is about to get it.
  if (fields.uplink === null || fields.uplink === own.device) return [];
  const message = `the network leaves by ${fields.uplink}, and the NIC of the Primary by ${own.device}; if the network is to follow, halt its guests and name ${own.device} as spec.network.uplink`;
  return [statement('True', 'PrimaryLeavesElsewhere', message)];
}

function statement(status: Statement['status'], reason: string, message: string): Statement {
  return { type: 'UplinkDiffers', status, reason, message };
}
