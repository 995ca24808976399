/** What a host is exported as plans to no change, also where it is booted with Images. */
import { expect, test } from 'vitest';
import { exportDocuments } from '../../../src/cli/export-document.ts';
import { parseDocuments } from '../../../src/documents/desired-state.ts';
import { fieldsOf } from '../../../src/model/domain.ts';
import type { ImageName, SecondaryName } from '../../../src/model/names.ts';
import type { Boot } from '../../../src/model/secondary.ts';
import { desiredWith, look, partition, planPass, secondary } from '../../support/passes.ts';
import { domainOf, imageOf, testHost, worldOf } from '../../support/simulation.ts';

const name = 'web' as SecondaryName;
const boot = (initrd: string | null): Boot => ({
  kind: 'kernelImage',
  kernel: 'linux' as ImageName,
  initrd: initrd as ImageName | null,
  commandLine: 'quiet',
});
const images = [
  imageOf('linux', { format: 'bzImage' }),
  imageOf('ramdisk', { format: 'initrd' }),
  imageOf('other', { format: 'bzImage' }),
];
const hostWith = (initrd: string | null, there = images) => {
  const defined = fieldsOf(secondary(name, { boot: boot(initrd) }));
  const domain = domainOf(name, { power: { status: 'running' }, defined });
  return testHost(worldOf({ recorded: true, domains: [domain], images: there }));
};

test.each([
  ['with', 'ramdisk', 3],
  ['without', null, 2],
])('a kernel %s an initial RAM disk', async (_what, initrd, count) => {
  const host = hostWith(initrd);
  const { defined } = [...(await look(host, desiredWith({}))).domains.values()].flatMap((seen) =>
    seen.status === 'present' ? [seen.value] : [],
  )[0] ?? { defined: null };
  if (defined === null) throw new Error('it is not there');
  const documents = exportDocuments(name, defined, await look(host, desiredWith({})));
  expect(documents).toHaveLength(count);
  const text = documents.map((each) => `---\n${JSON.stringify(each)}\n`).join('');
  const parsed = parseDocuments([{ path: 'exported.yaml', text }], partition);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.diagnostics));
  const { entries } = await planPass(host, parsed.desired);
  const unchanged = (kind: string, each: string) => ({
    kind: 'unchanged',
    resource: { kind, name: each },
    waiting: [],
  });
  expect(entries).toEqual(
    expect.arrayContaining([unchanged('image', 'linux'), unchanged('secondary', 'web')]),
  );
});

test('an Image that is not there is told', async () => {
  const host = hostWith('ramdisk', images.slice(0, 1));
  const observed = await look(host, desiredWith({}));
  const fields = fieldsOf(secondary(name, { boot: boot('ramdisk') }));
  expect(() => exportDocuments(name, fields, observed)).toThrow(
    'web boots Image ramdisk, which cannot be exported',
  );
});
