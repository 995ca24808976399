/** The channel to Primaries on virtual sockets, with a fake daemon behind it and a host that a test moves. */
import { PrimaryChannel } from '../../../src/channel/primary-channel.ts';
import type { HostSign } from '../../../src/host/ports.ts';
import type { DomainUuid } from '../../../src/model/identity.ts';
import type { PartitionName } from '../../../src/model/names.ts';
import type { VmRun } from '../../../src/model/vm-run.ts';
import type { DaemonEvent } from '../../../src/report/event.ts';
import { type Caller, callerOn, settled } from '../../support/virtual-caller.ts';
import { type VirtualRuntime, virtualRuntime } from '../../support/virtual-runtime.ts';
import { fakeControl, type FakeControl } from './fake-control.ts';

export const port = 1021;
const uuid = '5d1f0a4e-7a53-4a4b-9d0c-0d6b6f3c0c03' as DomainUuid;

export function runOf(cid: number, more: Partial<VmRun> = {}): VmRun {
  return { domainName: `vm-${cid}`, uuid, runId: 1, cid, ...more };
}

export interface PrimaryPlace extends FakeControl {
  readonly channel: PrimaryChannel;
  readonly runtime: VirtualRuntime;
  readonly events: readonly DaemonEvent[];
  readonly bugs: unknown[];
  /** Who runs; may be replaced. A function is called in its place. */
  running: readonly VmRun[] | ((names: readonly string[]) => Promise<readonly VmRun[]>);
  /** Of which nothing can be known. */
  unread: readonly string[];
  /** How often was asked who runs. */
  readonly lookups: () => number;
  admit(users: Readonly<Record<string, string>>): void;
  /** Until the next question about who runs is asked and answered. */
  pass(): Promise<void>;
  sign(domainName: string): void;
  call(
    cid: number,
    from?: { readonly port?: number; readonly isAlive?: () => boolean },
  ): Promise<Caller>;
}

export async function primaryPlace(): Promise<PrimaryPlace> {
  const runtime = virtualRuntime();
  const fake = fakeControl();
  const events: DaemonEvent[] = [];
  const bugs: unknown[] = [];
  let lookups = 0;
  const channel = new PrimaryChannel({
    control: fake.control,
    runtime,
    port,
    vmRuns: {
      of: async (names) => {
        lookups += 1;
        const { running } = place;
        const runs =
          typeof running === 'function'
            ? await running(names)
            : running.filter(({ domainName }) => names.includes(domainName));
        return { runs, unread: place.unread };
      },
    },
    emit: (event) => events.push(event),
    onBug: (error) => bugs.push(error),
  });
  const admit: PrimaryPlace['admit'] = (users) =>
    channel.admit(new Map(Object.entries(users) as [string, PartitionName][]));
  const place: PrimaryPlace = Object.assign(fake, {
    channel,
    runtime,
    events,
    bugs,
    running: [runOf(101)] as PrimaryPlace['running'],
    unread: [] as readonly string[],
    lookups: () => lookups,
    admit,
    pass: async () => {
      await settled();
      await runtime.advance(100);
      await settled();
    },
    sign: (domainName: string) => {
      const sign: HostSign = { kind: 'domain', domainName, uuid, event: 'stopped' };
      channel.onSign(sign);
    },
    call: async (cid: number, { port: from = 700, isAlive = () => true } = {}) => {
      const stream = runtime.sockets.connectFromVm(port, { cid, port: from, isAlive });
      const caller = callerOn(stream);
      await settled();
      return caller;
    },
  });
  admit({ 'vm-101': 'team-a' });
  await settled();
  return place;
}
