/**
 * The list of where a partition's network may begin something, as rules of nftables and back. One rule
 * for each line of the list and each way, so that nothing has to be put together again.
 */
import {
  type EgressProtocol,
  egressRules,
  type EgressRule,
  egressText,
} from '../../model/egress.ts';

/** By number: not every host has the names (/etc/protocols). */
export const PROTOCOL_NUMBERS: { readonly [P in EgressProtocol]: number } = {
  icmp: 1,
  tcp: 6,
  udp: 17,
};

/** What matches that which goes there, and that which comes from there. */
export function egressMatches(egress: string, way: 'to' | 'from'): readonly string[] {
  const [address, port] = way === 'to' ? ['daddr', 'dport'] : ['saddr', 'sport'];
  return egressRules(egress).map(({ cidr, protocol, ports }) => {
    const at = cidr === '0.0.0.0/0' ? '' : `ip ${address} ${cidr.replace(/\/32$/, '')} `;
    if (protocol === null) return at;
    if (ports.length === 0) return `${at}meta l4proto ${PROTOCOL_NUMBERS[protocol]} `;
    const which = ports.length === 1 ? ports.join() : `{ ${ports.join(', ')} }`;
    return `${at}${protocol} ${port} ${which} `;
  });
}

const rule =
  /^(?:ip daddr (\S+) )?(?:meta l4proto (\d+) |(\w+) dport (?:(\d+)|\{ ([\d, ]+) \}) )?(?:accept|goto \S+)$/;

/** What rules of those that go there may have been made from. */
export function egressFrom(rules: readonly string[]): string {
  return egressText(
    rules.flatMap((each): EgressRule[] => {
      const found = rule.exec(each);
      if (found === null) return [];
      const [, address = '0.0.0.0/0', number, name, port, ports] = found;
      const protocols = Object.keys(PROTOCOL_NUMBERS) as EgressProtocol[];
      const protocol =
        protocols.find((one) => one === name || `${PROTOCOL_NUMBERS[one]}` === number) ?? null;
      const which = (port ?? ports ?? '').split(', ').filter((one) => one !== '');
      const cidr = address.includes('/') ? address : `${address}/32`;
      return [{ cidr, protocol, ports: which.map(Number) }];
    }),
  );
}
