/** The metrics of one partition: what is so of it, and nothing of anybody else. */
import { describe, expect, test } from 'vitest';
import { PartitionMetrics } from '../../../../src/daemon/watching/partition-metrics.ts';
import type { PartitionName } from '../../../../src/model/names.ts';
import type { DaemonEvent } from '../../../../src/report/event.ts';
import { everyEvent, partition } from './every-event.ts';
import { secondary, statusOf } from './statuses.ts';

const neighbour = 'neighbour' as PartitionName;
const usage = {
  memoryBytes: 4096,
  cpuUs: 0,
  throttledUs: 0,
  periods: 0,
  throttledPeriods: 0,
  processes: 5,
  oomKills: 0,
  memoryPressure: 0,
};

function opened() {
  const metrics = new PartitionMetrics({
    version: '1.2.3',
    statuses: () => [
      statusOf({ partition, secondaries: [secondary('web', 'Running')] }),
      statusOf({
        partition: neighbour,
        secondaries: [secondary('db', 'Running'), secondary('cache', 'Running')],
      }),
    ],
    slices: () => [
      { partition, usage },
      { partition: neighbour, usage: { ...usage, processes: 77 } },
    ],
  });
  const record = (event: DaemonEvent) => metrics.record({ event });
  const lines = async (name: string, of = partition) =>
    (await metrics.text(of)).split('\n').filter((line) => line.startsWith(name));
  return { metrics, record, lines };
}

/** Every kind of event but the one after which there is nothing. */
const happening = Object.values(everyEvent).filter(({ kind }) => kind !== 'partition-removed');

describe('the metrics of a partition', () => {
  test('are those of the host, as far as they are about it', async () => {
    const { record, lines } = opened();
    for (const event of happening) record(event);
    expect(await lines('unnest_operations_total')).toEqual([
      'unnest_operations_total{kind="domain.start",outcome="applied"} 1',
    ]);
    expect(await lines('unnest_secondaries{status="Running"}')).toEqual([
      'unnest_secondaries{status="Running"} 1',
    ]);
    expect(await lines('unnest_slice_processes')).toEqual([
      'unnest_slice_processes{partition="team-a"} 5',
    ]);
    expect(await lines('unnest_partition_generation')).toEqual([
      'unnest_partition_generation{partition="team-a"} 3',
    ]);
  });

  test('say nothing of a neighbour, of the host, or of who has asked', async () => {
    const { metrics, record, lines } = opened();
    for (const event of happening) {
      record(event);
      for (let n = 0; n < 3; n += 1) {
        record('partition' in event ? { ...event, partition: neighbour } : event);
      }
    }
    const text = await metrics.text(partition);
    expect(text).not.toMatch(/neighbour|uid|libvirt|channel|queue|unnest_partitions|host_/);
    expect(await lines('unnest_submissions_total')).toEqual([
      'unnest_submissions_total{source="Apply",result="Accepted"} 1',
      'unnest_submissions_total{source="Apply",result="Invalid"} 1',
    ]);
    expect(await lines('unnest_submissions_total', neighbour)).toEqual([
      'unnest_submissions_total{source="Apply",result="Accepted"} 3',
      'unnest_submissions_total{source="Apply",result="Invalid"} 3',
    ]);
  });

  test('begin anew with a partition that comes again', async () => {
    const { record, lines } = opened();
    record(everyEvent['pass-finished']);
    expect(await lines('unnest_passes_total')).toHaveLength(1);
    record(everyEvent['partition-removed']);
    expect(await lines('unnest_passes_total')).toEqual([]);
  });
});
