/**
 * Whether a guest is ready. Who has found out writes it down with libvirt, in what is kept of that run only:
 * so it holds until the run ends, whoever is started anew meanwhile, and never for another run.
 */
import type { DomainFields, ObservedDomain } from './domain.ts';

/** As Nitro Enclaves do it: the guest connects to the host, sends this byte and gets it back. */
export const HEARTBEAT_PORT = 9000;
export const HEARTBEAT_BYTE = 0xb7;

type Asked = Pick<DomainFields, 'readiness' | 'readinessPort'>;

/** What is checked, as it is written down: `GuestAgent`, `Heartbeat`, `TcpPort:5432`; null: nothing is. */
export function checkOf({ readiness, readinessPort }: Asked): string | null {
  switch (readiness) {
    case 'GuestAgent':
    case 'Heartbeat':
      return readiness;
    case 'TcpPort':
      return readinessPort === null ? null : `TcpPort:${readinessPort}`;
    default:
      // `Running`, and what only an edited mark can say.
      return null;
  }
}

/** The other way round; null: it is no check by a port. */
export function portOf(check: string): number | null {
  const port = /^TcpPort:([1-9][0-9]{0,4})$/.exec(check)?.[1];
  return port === undefined ? null : Number(port);
}

/** Whether a running guest has what its check needs; what it lacks comes with its next start. */
export function canPass(check: string, { live, agent }: ObservedDomain): boolean {
  if (check === 'GuestAgent') return agent !== 'none';
  if (check === 'Heartbeat') return live?.vsock === 'Heartbeat';
  return live?.network === 'Partition';
}

/** What is waited for, of a guest that is not ready: completes "waits for ...". */
export function awaitedBy(check: string): string {
  const port = portOf(check);
  if (port !== null) return `a connection to TCP port ${port} of its address`;
  return check === 'Heartbeat'
    ? `its heartbeat over vsock, port ${HEARTBEAT_PORT}`
    : 'an answer of its guest agent';
}

/** What it runs without, of one that cannot pass: completes "runs without ...". */
export function lackedFor(check: string): string {
  if (portOf(check) !== null) return "a NIC on the partition's network";
  return check === 'Heartbeat' ? 'a vsock device' : 'a channel for a guest agent';
}

/** Running guests only. @param asked what its document says, if that is not what is defined */
export function isReady(domain: ObservedDomain, asked: Asked = domain.defined): boolean {
  if (domain.power.status !== 'running') return false;
  const check = checkOf(asked);
  return check === null || domain.foundReady === check;
}
