/** Two partitions that do not fit the machine that the test runs on, as libvirt counts its CPUs. */
import { readdirSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { expect, test } from 'vitest';
import { idleDocument } from '../../support/cli.ts';
import { daemonPlace, type RealDaemon } from '../../support/daemon.ts';
import { condition, statusOf, synced } from '../../support/daemon-says.ts';
import { domainsOf } from '../../support/partition-domains.ts';
import { until } from '../../support/until.ts';

const [first, second] = ['fit-a', 'fit-b'] as const;

const limits = (vcpus: number) => ({
  limits: { vcpus, memory: '64MiB', storage: '1GiB', secondaries: 2, enforcement: 'Admission' },
});

/** As the kernel counts it node by node, which libvirt does too; a machine with a balloon has more. */
function memoryOfNodes(): number {
  const folder = '/sys/devices/system/node';
  return readdirSync(folder)
    .filter((name) => /^node\d+$/.test(name))
    .map((name) => readFileSync(`${folder}/${name}/meminfo`, 'utf8'))
    .reduce((sum, text) => sum + Number(/MemTotal: +(\d+) kB/.exec(text)?.[1]) * 1024, 0);
}

/** Who has what another one does not get. */
async function toldOperator(daemon: RealDaemon): Promise<string> {
  const { problems } = await daemon.api.partitions(AbortSignal.timeout(60_000));
  return problems.map(({ message }) => message).join();
}

async function held(daemon: RealDaemon, partition: string): Promise<string> {
  const fits = async () => condition(await statusOf(daemon, partition), 'FitsHost');
  const found = await until(`${partition} is held`, fits, (each) => each?.status === 'False');
  return `${found?.reason} ${found?.message}`;
}

test('the newcomer waits, also after a crash, and goes on when the other has less', async ({
  onTestFinished,
}) => {
  // Of a machine with one CPU too, and with little memory.
  const spec = ['hostReserved: { memory: 0MiB }', 'overcommit: { vcpus: 2 }'];
  const place = daemonPlace({ spec });
  const all = cpus().length * 2;
  onTestFinished(() => place.dispose());
  const halted = idleDocument('a', ['runPolicy: Halted']);
  place.describe(first, 'Directory', limits(all));
  place.write(first, halted);
  const before = await place.start();
  await synced(before, first, ['a']);
  place.describe(second, 'Directory', limits(1));
  place.write(second, halted);
  expect(await held(before, second)).toMatch(/^HostOvercommitted /);
  expect(await toldOperator(before)).toMatch(/promised to fit-a/);
  expect(await domainsOf(second)).toEqual([]);
  await before.end('SIGKILL');
  const after = await place.start();
  await synced(after, first, ['a']);
  expect(await held(after, second)).toMatch(/^HostOvercommitted (?!.*fit-a)/);
  expect(await toldOperator(after)).toMatch(/promised to fit-a/);
  const { promised } = await after.api.partitions(AbortSignal.timeout(60_000));
  expect(promised?.vcpus).toMatchObject({ promised: all, available: all, there: all / 2 });
  expect(promised?.memoryBytes.there).toBe(memoryOfNodes());
  place.describe(first, 'Directory', limits(all - 1));
  await synced(after, second, ['a']);
  expect(await domainsOf(second)).toEqual(['a - shut off']);
});
