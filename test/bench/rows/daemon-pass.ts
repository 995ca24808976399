/**
 * A pass of the daemon over a converged partition, by its own clock from the first read to the
 * report, against the bare calls that read as much. That it writes nothing is looked at, not hoped.
 */
import { libvirt } from '../built.ts';
import { counted, measuredDaemon, type MeasuredDaemon } from '../daemon.ts';
import { subject, takeTurns } from '../measure.ts';
import { documentsOf, type Partition } from '../partition.ts';
import * as raw from '../raw-rpc.ts';
import { type Row, rowOf } from '../row.ts';
import { rawCalls } from './libvirt-read.ts';

const count = 1000;
const inFlightMax = 4;

export async function daemonPass(partition: Partition): Promise<readonly Row[]> {
  await partition.converge({ count, runPolicy: 'Halted' });
  const measured = await measuredDaemon(partition.name, partition.stateDir);
  const socket = await raw.openRaw(raw.sockets.readOnly);
  const connection = await libvirt.connectReadOnly();
  try {
    await measured.submit(documentsOf({ count, runPolicy: 'Halted' }));
    await measured.synced(count);
    const calls = rawCalls(await connection.domains.list());
    const list = raw.call(raw.procedures.list, raw.u32(1), raw.u32(0));
    const [ours, floor] = await takeTurns(
      [
        { name: 'a pass', sample: () => onePass(partition, measured) },
        subject('raw RPC', async () => {
          await raw.exchange(socket, [list], 1);
          return raw.exchange(socket, calls, inFlightMax);
        }),
      ],
      { count: 9, warmUps: 2 },
    );
    if (ours === undefined || floor === undefined) throw new Error('nothing was measured');
    const target = { of: 'ratio', max: 1.5 } as const;
    return [
      rowOf(
        { name: 'daemon-pass-1000', samples: ours, target },
        { name: 'raw pipelined RPC', samples: floor },
      ),
    ];
  } finally {
    connection.close();
    socket.destroy();
    measured.end();
  }
}

/** libvirt's names of what changes something; also of what it has no method for here. */
const writes =
  /^unnest_libvirt_call_duration_seconds_count\{procedure="[a-z_]*(define|create|destroy|undefine|set_|attach|detach|shutdown|reboot|reset|resume|suspend|update|save|rename|abort|build|delete|resize)/;
const operations = /^unnest_operations_total/;

async function onePass({ name }: Partition, { daemon }: MeasuredDaemon): Promise<number> {
  const reading = new AbortController();
  const events = await daemon.api.events(
    { after: 'latest', watch: true, partition: name },
    reading.signal,
  );
  const before = [await counted(daemon, writes), await counted(daemon, operations)];
  await daemon.api.retry(name, AbortSignal.timeout(30_000));
  const durationMs = await passIn(events);
  reading.abort();
  const after = [await counted(daemon, writes), await counted(daemon, operations)];
  if (after.join() !== before.join()) {
    throw new Error(`it wrote: calls, operations ${before.join()} became ${after.join()}`);
  }
  return durationMs;
}

type Events = Awaited<ReturnType<MeasuredDaemon['daemon']['api']['events']>>;

async function passIn(events: Events): Promise<number> {
  for await (const { event } of events) {
    if (event.kind === 'pass-failed') throw new Error(event.message);
    if (event.kind !== 'pass-finished') continue;
    if (event.operations > 0 || event.blocked > 0) throw new Error('it was not converged');
    return event.durationMs;
  }
  throw new Error('unnestd has ended');
}
