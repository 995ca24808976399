/** Starting ten guests that are defined and stopped. How long they then boot is the guest's affair. */
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { libvirt } from '../built.ts';
import { subject, takeTurns } from '../measure.ts';
import { type Partition, removeDomains, secondaryName } from '../partition.ts';
import { runProgram } from '../program.ts';
import { type Row, rowOf } from '../row.ts';

const count = 10;

export async function start(partition: Partition): Promise<readonly Row[]> {
  await partition.converge({ count, runPolicy: 'Halted' });
  partition.write({ count, runPolicy: 'Always' });
  const names = Array.from(
    { length: count },
    (_, index) => `unnest.${partition.name}.${secondaryName(index)}\n`,
  );
  const input = join(tmpdir(), 'bench-start-names');
  writeFileSync(input, names.join(''));
  const virsh = { command: 'xargs', args: ['-P4', '-n1', 'virsh', '--quiet', 'start'], input };
  try {
    const [ours, peer] = await takeTurns(
      [
        subject('unnest apply', () => runProgram(partition.apply), { check: stopAll }),
        subject('virsh start', () => runProgram(virsh), { check: stopAll }),
      ],
      { count: 5, warmUps: 1 },
    );
    if (!ours || !peer) throw new Error('nothing was measured');
    const target = { of: 'ratio', max: 1.1 } as const;
    const baseline = { name: 'xargs -P4 virsh start', samples: peer };
    return [rowOf({ name: 'start-10', samples: ours, target }, baseline)];
  } finally {
    await removeDomains();
  }
}

/** @throws Error unless all of them run. */
async function stopAll(): Promise<void> {
  const connection = await libvirt.connect();
  try {
    const running = await connection.domains.list({ running: true });
    if (running.length !== count) throw new Error(`${running.length} of ${count} guests run`);
    await Promise.all(running.map((each) => connection.domains.destroy(each)));
  } finally {
    connection.close();
  }
}
