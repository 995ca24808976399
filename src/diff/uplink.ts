/**
 * The uplink of a network whose document names none: the interface that the Primary's own NIC leaves
 * by. It is chosen once, when the network begins to leave the host, and kept: neither a second NIC nor
 * another default route moves it afterwards, and what differs by then is a condition.
 */
import type { Observed } from '../model/domain.ts';
import { fieldsOfNetwork, type NetworkFields, type ObservedNetwork } from '../model/network.ts';
import type { DesiredState } from '../model/secondary.ts';
import { uplinkOf } from '../partition/uplink.ts';
import type { Block } from './change.ts';

/** @param there null: there is none yet */
export function withUplink(
  spec: NetworkFields,
  { primary }: DesiredState,
  { uplinks }: Observed,
  there: ObservedNetwork | null,
): NetworkFields | Block {
  if (spec.mode === 'isolated' || spec.uplink !== null) return spec;
  const before = there === null ? null : fieldsOfNetwork(there);
  const leaves = before !== null && before.mode !== 'isolated';
  if (leaves && before.uplink !== null) return { ...spec, uplink: before.uplink };
  // Nobody's NIC to go by.
  if (primary === null || primary === 'unspoken') return spec;
  if (uplinks.status === 'present') {
    const uplink = uplinkOf(uplinks.value);
    if (uplink.kind === 'decided') return { ...spec, uplink: uplink.device };
    if (!leaves) return { code: 'UplinkUndecided', message: `${uplink.why}: ${remedy}` };
  }
  // One of before there was a choice leaves as it did, whatever could not be found out.
  if (leaves) return spec;
  if (uplinks.status === 'unknown') return { code: 'HostUnknown', message: uplinks.why };
  const message = `the host has no domain "${primary.domainName}", whose NIC would say it: ${remedy}`;
  return { code: 'UplinkUndecided', message };
}

const remedy = 'name the interface to leave by as spec.network.uplink';
