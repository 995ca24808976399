/**
 * Ten guests that are to run by a submission, until libvirt says that they do, against virsh starting
 * ten of the same machines that are nobody's, so that the daemon has nothing to do with those.
 */
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '../../../src/libvirt/index.ts';
import type { PartitionName } from '../../../src/model/names.ts';
import { libvirt } from '../built.ts';
import { measuredDaemon, type MeasuredDaemon } from '../daemon.ts';
import { subject, takeTurns } from '../measure.ts';
import { documentsOf, removeDomains, secondaryName, type Wanted } from '../partition.ts';
import { runProgram } from '../program.ts';
import { type Row, rowOf } from '../row.ts';
import { domainsNamed, foreignXml, untilStarted } from '../started.ts';

const count = 10;
const partition = 'bench-start' as PartitionName;
const ours = `unnest.${partition}.`;
const foreign = 'bench-foreign-';

const documents = (runPolicy: Wanted['runPolicy']) =>
  documentsOf({ count, runPolicy }).replaceAll(
    '  runPolicy:',
    '  terminationGracePeriodSeconds: 0\n  runPolicy:',
  );

export async function daemonStart(): Promise<readonly Row[]> {
  const measured = await measuredDaemon(partition);
  const connection = await libvirt.connect();
  try {
    await measured.submit(documents('Halted'));
    await measured.synced(count);
    await defineForeign(connection);
    const [started, peer] = await takeTurns(
      [throughDaemon(measured, connection), byVirsh(connection)],
      { count: 5, warmUps: 1 },
    );
    if (!started || !peer) throw new Error('nothing was measured');
    const target = { of: 'ratio', max: 1.1 } as const;
    return [
      rowOf(
        { name: 'daemon-start-10', samples: started, target },
        { name: 'xargs -P4 virsh start', samples: peer },
      ),
    ];
  } finally {
    connection.close();
    measured.end();
    await removeDomains();
  }
}

async function defineForeign(connection: Connection): Promise<void> {
  const { domains } = connection;
  for (const [index, domain] of (await domainsNamed(connection, ours)).entries()) {
    const xml = await domains.xml(domain, { inactive: true });
    await domains.define(foreignXml(xml, `${foreign}${secondaryName(index)}`));
  }
}

function throughDaemon(measured: MeasuredDaemon, connection: Connection) {
  return subject(
    'a submission',
    async () => {
      const started = await untilStarted(connection, ours, count);
      await measured.submit(documents('Always'));
      await started.all;
    },
    {
      after: async () => {
        await measured.synced(count);
        await measured.submit(documents('Halted'));
        await sleep(1000);
        await measured.synced(count);
        // So that the next one comes while the daemon rests.
        await sleep(3000);
      },
    },
  );
}

function byVirsh(connection: Connection) {
  const input = join(tmpdir(), 'bench-foreign-names');
  const names = Array.from({ length: count }, (_, index) => `${foreign}${secondaryName(index)}\n`);
  writeFileSync(input, names.join(''));
  const virsh = { command: 'xargs', args: ['-P4', '-n1', 'virsh', '--quiet', 'start'], input };
  return subject('virsh start', () => runProgram(virsh), {
    after: async () => {
      const all = await domainsNamed(connection, foreign);
      await Promise.all(all.map((each) => connection.domains.destroy(each)));
    },
  });
}
