/** A real guest on a real, filtered network is ready once a port of it takes a connection. */
import { expect, test } from 'vitest';
import { openLibvirtHost } from '../../../src/host/libvirt/open.ts';
import { domainName, domainUuid } from '../../../src/model/identity.ts';
import type { SecondaryName } from '../../../src/model/names.ts';
import type { SecondaryReport } from '../../../src/report/partition-status.ts';
import { virsh } from '../../support/cli.ts';
import { daemonPlace } from '../../support/daemon.ts';
import { condition, partitionNamed, statusOf } from '../../support/daemon-says.ts';
import { GuestConsole } from '../../support/guest-wire.ts';
import { domainsOf } from '../../support/partition-domains.ts';
import { until } from '../../support/until.ts';

const partition = 'readiness';
const never = new AbortController().signal;

const secondary = (name: string, words: string, ...spec: readonly string[]) =>
  [
    '---',
    'apiVersion: unnest.dev/v1',
    'kind: Secondary',
    `metadata: { name: ${name} }`,
    'spec:',
    '  vcpus: 1',
    '  memory: 128MiB',
    '  boot:',
    '    kernel:',
    '      file: vmlinuz',
    '      initrd: initrd.img',
    `      commandLine: console=ttyS0 quiet unnest.name=${name} ${words}`,
    ...spec.map((line) => `  ${line}`),
    '',
  ].join('\n');

const documents =
  secondary(
    'db',
    'unnest.do=client',
    'network: Partition',
    'readiness: TcpPort',
    'readinessPort: 5432',
  ) + secondary('app', '', 'startAfter: [db]');

/** Somebody in the guest that takes connections, in Perl. */
const listens =
  '/usr/bin/perl -e \'socket L,2,1,0; bind L,pack "SnNx8",2,5432,0 or die; listen L,5 or die; sleep 600\' >/dev/null 2>&1 & sleep 1; echo listens';

test('by a port, through the packet filter of its network, and only for that run', async ({
  onTestFinished,
}) => {
  // The guest's console is the test's.
  const place = daemonPlace({ spec: ['consoleLogs: false'] });
  onTestFinished(() => place.dispose());
  // From nowhere else is it reached, and nothing of it leaves.
  place.describe(partition, 'Directory', { network: { cidr: '10.83.0.0/24', mode: 'isolated' } });
  place.write(partition, documents);
  const daemon = await place.start();
  const db = async () =>
    (await statusOf(daemon, partition))?.secondaries.find(({ name }) => name === 'db');
  const readyOf = (report: SecondaryReport | undefined) => {
    const ready = report?.conditions.find(({ type }) => type === 'Ready');
    return `${ready?.status} ${ready?.reason}`;
  };
  const becomes = (words: string) =>
    until(
      `db is ${words}`,
      async () => readyOf(await db()),
      (now) => now === words,
    );

  await becomes('False AwaitsTcpPort');
  const name = domainName(partitionNamed(partition), 'db' as SecondaryName);
  const uuid = domainUuid((await virsh('domuuid', name)).trim());
  if (uuid === undefined) throw new Error('db has no UUID');
  const opened = await openLibvirtHost(
    {
      uri: 'qemu:///system',
      partition: partitionNamed(partition),
      stateDir: place.at('state'),
    },
    never,
  );
  onTestFinished(() => opened.close());
  const guest = await GuestConsole.open(opened.host, { uuid, domainName: name });
  onTestFinished(() => guest.close());
  await guest.hears(/unnest-guest db address ([0-9.]+)/);
  // It has an address, and nobody at that port.
  expect(await domainsOf(partition)).toEqual([
    'app - shut off',
    expect.stringMatching(/^db \d+ running$/),
  ]);
  expect(readyOf(await db())).toBe('False AwaitsTcpPort');
  const answer = await guest.do(`POST /run?line=${encodeURIComponent(listens)}`);
  expect(answer).toMatch(/^200 listens/);
  await becomes('True Running');
  await until(
    'app has come up after it',
    () => domainsOf(partition),
    (all) => all.some((line) => /^app \d+ running$/.test(line)),
  );
  expect(await virsh('dumpxml', name)).toMatch(/<unnest-ready:run [^>]*check=.TcpPort:5432/);

  await daemon.end('SIGKILL');
  const next = await place.start();
  const now = async () =>
    (await statusOf(next, partition))?.secondaries.find((each) => each.name === 'db');
  // Whose port takes nothing any more: what was ready stays so.
  await until(
    'the next daemon sees it',
    async () => readyOf(await now()),
    (word) => word === 'True Running',
  );
  await virsh('destroy', name);
  await until(
    'another run is not ready',
    async () => readyOf(await now()),
    (word) => word === 'False AwaitsTcpPort',
  );
  expect(condition(await statusOf(next, partition), 'Ready')?.status).toBe('False');
});
