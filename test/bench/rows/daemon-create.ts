/**
 * From a submission with one new Secondary to libvirt's word that its guest has started, against
 * libvirt's own define and start of the same machine over our client. How long the guest then boots
 * is the guest's affair.
 */
import type { Connection } from '../../../src/libvirt/index.ts';
import type { PartitionName } from '../../../src/model/names.ts';
import { libvirt } from '../built.ts';
import { measuredDaemon, type MeasuredDaemon } from '../daemon.ts';
import { subject, takeTurns } from '../measure.ts';
import { documentsOf } from '../partition.ts';
import { type Row, rowOf } from '../row.ts';
import { domainsNamed, foreignXml, untilStarted } from '../started.ts';

const partition = 'bench-create' as PartitionName;
const ours = `unnest.${partition}.`;
const foreign = 'bench-foreign';
const document = documentsOf({ count: 1, runPolicy: 'Always' }).replace(
  '  runPolicy:',
  '  terminationGracePeriodSeconds: 0\n  runPolicy:',
);

export async function daemonCreate(): Promise<readonly Row[]> {
  const measured = await measuredDaemon(partition);
  const connection = await libvirt.connect();
  try {
    const xml = await xmlOfOurs(measured, connection);
    const [created, baseline] = await takeTurns(
      [throughDaemon(measured, connection), byLibvirt(connection, foreignXml(xml, foreign))],
      { count: 11, warmUps: 2 },
    );
    if (!created || !baseline) throw new Error('nothing was measured');
    return [
      rowOf(
        {
          name: 'daemon-create-to-running',
          samples: created,
          target: { of: 'excess', max: 20 },
        },
        { name: 'libvirt, define + start', samples: baseline },
      ),
    ];
  } finally {
    connection.close();
    measured.end();
  }
}

async function xmlOfOurs(measured: MeasuredDaemon, connection: Connection): Promise<string> {
  await measured.submit(document);
  await measured.synced(1);
  const [domain] = await domainsNamed(connection, ours);
  if (domain === undefined) throw new Error('there is no domain');
  const xml = await connection.domains.xml(domain, { inactive: true });
  await removeOurs(measured, connection);
  return xml;
}

function throughDaemon(measured: MeasuredDaemon, connection: Connection) {
  return subject(
    'a submission',
    async () => {
      const started = await untilStarted(connection, ours, 1);
      await measured.submit(document);
      await started.all;
    },
    {
      after: async () => {
        await measured.synced(1);
        await removeOurs(measured, connection);
      },
    },
  );
}

/** Until the daemon rests again. */
async function removeOurs(measured: MeasuredDaemon, connection: Connection): Promise<void> {
  await measured.submit('');
  await measured.synced(0);
  const left = await domainsNamed(connection, ours);
  if (left.length > 0) throw new Error(`${left.length} domains are left`);
  await new Promise((done) => setTimeout(done, 1500));
}

function byLibvirt(connection: Connection, xml: string) {
  const { domains } = connection;
  return subject(
    'define + start',
    async () => {
      const started = await untilStarted(connection, foreign, 1);
      await domains.start(await domains.define(xml));
      await started.all;
    },
    {
      after: async () => {
        for (const each of await domainsNamed(connection, foreign)) {
          await domains.destroy(each);
          await domains.undefine(each);
        }
      },
    },
  );
}
