/** Documents in a folder become guests, and what others do to those behind unnest's back is mended. */
import { writeFileSync } from 'node:fs';
import { describe, expect, test, type TestContext } from 'vitest';
import type { PartitionStatus } from '../../../src/report/partition-status.ts';
import { idleDocument as idle, virsh } from '../../support/cli.ts';
import { daemonPlace } from '../../support/daemon.ts';
import { partitionNamed, statusOf, synced } from '../../support/daemon-says.ts';
import { domainsOf } from '../../support/partition-domains.ts';
import { until } from '../../support/until.ts';

/** A partition of that name with two guests that run and one that does not. */
async function setup({ onTestFinished }: TestContext, partition: string) {
  const place = daemonPlace();
  onTestFinished(() => place.dispose());
  place.describe(partition);
  place.write(partition, idle('web-0') + idle('web-1') + idle('off', ['runPolicy: Halted']));
  const daemon = await place.start();
  const allSynced = () => synced(daemon, partition, ['off', 'web-0', 'web-1']);
  await allSynced();
  const define = async (xml: string) => {
    writeFileSync(place.at('defined.xml'), xml);
    await virsh('define', place.at('defined.xml'));
  };
  return {
    place,
    daemon,
    allSynced,
    define,
    domains: () => domainsOf(partition),
    /** libvirt's name of its domain. */
    of: (name: string) => `unnest.${partition}.${name}`,
    /** Somebody does this, a pass finds such a drift, and another one after it that all is well. */
    mended: async (drift: string, edit: () => Promise<unknown>) => {
      const passes = () => daemon.lines('pass-finished').map((line) => line['drift'] as string[]);
      const before = passes().length;
      await edit();
      await until(
        'a pass has mended it',
        () => passes().slice(before),
        (drifts) => drifts.some((each) => each.includes(drift)) && drifts.at(-1)?.length === 0,
      );
      await allSynced();
    },
    edit: async (name: string, change: (xml: string) => string) => {
      const xml = await virsh('dumpxml', '--inactive', `unnest.${partition}.${name}`);
      const edited = change(xml);
      expect(edited).not.toBe(xml);
      await define(edited);
    },
  };
}

const off = 'off - shut off';
const runs = (name: string) => new RegExp(`^${name} \\d+ running$`);
const idIn = (line: string | undefined) => line?.split(' ')[1];

describe.concurrent('a partition', () => {
  test('becomes running guests, and the API and metrics tell of them', async (context) => {
    const { daemon, domains } = await setup(context, 'drift-a');
    const running = ['web-0', 'web-1'].map((name) => expect.stringMatching(runs(name)));
    expect(await domains()).toEqual([off, ...running]);
    const status = await statusOf(daemon, 'drift-a');
    expect(status?.secondaries.map(({ name, status: word }) => `${name} ${word}`)).toEqual([
      'off Stopped',
      'web-0 Running',
      'web-1 Running',
    ]);
    const metrics = await daemon.metrics();
    expect(metrics).toMatch(
      /^unnest_operations_total\{kind="domain.start",outcome="applied"\} 2$/m,
    );
    expect(daemon.lines().filter(({ level }) => level === 'error')).toEqual([]);
  });

  test('whose guest was destroyed: it runs again, the others as they were', async (context) => {
    const { mended, domains, of } = await setup(context, 'drift-b');
    const before = await domains();
    await mended('power', () => virsh('destroy', of('web-0')));
    const after = await domains();
    expect(after[1]).toMatch(runs('web-0'));
    expect(idIn(after[1])).not.toBe(idIn(before[1]));
    expect([after[0], after[2]]).toEqual([before[0], before[2]]);
  });

  test('whose guests were undefined: defined again, without a restart', async (context) => {
    const { mended, domains, of } = await setup(context, 'drift-c');
    const before = await domains();
    await mended('missing', () => virsh('undefine', of('web-0')));
    expect(await domains()).toEqual(before);
    expect(await virsh('dominfo', of('web-0'))).toMatch(/Persistent: +yes/);
    await mended('missing', () => virsh('undefine', of('off')));
    expect(await domains()).toEqual(before);
  });

  test('whose definitions were edited: put back, but what is not managed', async (context) => {
    const { mended, edit, domains, of } = await setup(context, 'drift-d');
    const before = await domains();
    await mended('definition', () => edit('off', (xml) => xml.replace(/(<vcpu.*>)1</, '$13<')));
    expect(await virsh('vcpucount', of('off'), '--config', '--maximum')).toBe('1');
    await mended('definition', () =>
      edit('web-0', (xml) =>
        xml
          .replaceAll('>131072<', '>262144<')
          .replace('<os>', '<description>mine</description><os>'),
      ),
    );
    const xml = await virsh('dumpxml', '--inactive', of('web-0'));
    expect(xml).toContain('<description>mine</description>');
    expect(xml).toMatch(/<memory unit='KiB'>131072<\/memory>/);
    expect(await domains()).toEqual(before);
  });

  test('whose guest was renamed: blocked, and not made a second time', async (context) => {
    const { daemon, place, allSynced, domains, of } = await setup(context, 'drift-e');
    await virsh('domrename', of('off'), 'mine-now');
    const status = await blocked(() => place.status('drift-e'));
    expect(whyBlocked(status, 'off')).toBe('MarkMismatch');
    expect((await virsh('list', '--all', '--name')).split('\n')).toContain('mine-now');
    expect(await domains()).toHaveLength(2);
    await virsh('domrename', 'mine-now', of('off'));
    await daemon.api.retry(partitionNamed('drift-e'), AbortSignal.timeout(60_000));
    await allSynced();
  });

  test('with a name that a foreign domain has: blocked, and that is left alone', async (context) => {
    const { place, define, of } = await setup(context, 'drift-f');
    const xml = await virsh('dumpxml', '--inactive', of('off'));
    await define(
      xml
        .replace(/<name>.*<\/name>/, `<name>${of('new')}</name>`)
        .replace(/<uuid>.*<\/uuid>/, '')
        .replace(/<metadata>[^]*<\/metadata>/, ''),
    );
    const foreign = await virsh('dumpxml', '--inactive', of('new'));
    place.write('drift-f', idle('new'), 'new.yaml');
    expect(whyBlocked(await blocked(() => place.status('drift-f')), 'new')).toBe('NameTaken');
    expect(await virsh('dumpxml', '--inactive', of('new'))).toBe(foreign);
  });
});

function blocked(status: () => PartitionStatus | null): Promise<PartitionStatus | null> {
  return until('it is blocked', status, (seen) => seen?.sync === 'Blocked');
}

function whyBlocked(status: PartitionStatus | null, secondary: string): string | undefined {
  const report = status?.secondaries.find(({ name }) => name === secondary);
  return report?.conditions.find(({ type }) => type === 'Blocked')?.reason;
}
