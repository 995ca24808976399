/**
 * Where the Secondaries of a partition may begin something, as one text: it is compared as a whole, and
 * its order says nothing. Such as `1.1.1.1/32 tcp 80 443, 10.0.0.0/8`; empty: nowhere.
 */
import { isCovered } from './network.ts';

export const EGRESS_PROTOCOLS = ['tcp', 'udp', 'icmp'] as const;
export type EgressProtocol = (typeof EGRESS_PROTOCOLS)[number];

/** One that a packet agrees with is enough. */
export interface EgressRule {
  readonly cidr: string;
  /** Null: any. */
  readonly protocol: EgressProtocol | null;
  /** Of tcp and udp; none: any. */
  readonly ports: readonly number[];
}

const entry = String.raw`(?:\d{1,3}\.){3}\d{1,3}/\d{1,2}(?: icmp| (?:tcp|udp)(?: [1-9]\d{0,4})*)?`;

/** All that `egressText` makes. */
export const EGRESS_PATTERN = new RegExp(`^(?:${entry}(?:, ${entry})*)?$`);

export function egressText(rules: readonly EgressRule[]): string {
  const texts = rules.map(({ cidr, protocol, ports }) => {
    const inOrder = [...new Set(ports)].sort((a, b) => a - b);
    return [cidr, ...(protocol === null ? [] : [protocol, ...inOrder])].join(' ');
  });
  return [...new Set(texts)].sort().join(', ');
}

export function egressRules(text: string): readonly EgressRule[] {
  if (text === '') return [];
  return text.split(', ').map((each) => {
    const [cidr = '', said, ...ports] = each.split(' ');
    const protocol = EGRESS_PROTOCOLS.find((one) => one === said) ?? null;
    return { cidr, protocol, ports: ports.map(Number) };
  });
}

/** @param egress null: anywhere */
export function isPermitted(
  egress: string | null,
  address: string,
  protocol: EgressProtocol,
  port: number,
): boolean {
  if (egress === null) return true;
  return egressRules(egress).some(
    (rule) =>
      isCovered(address, rule.cidr) &&
      (rule.protocol === null || rule.protocol === protocol) &&
      (rule.ports.length === 0 || rule.ports.includes(port)),
  );
}
