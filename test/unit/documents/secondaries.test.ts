/** Replicas, protection and start order. */
import { describe, expect, test } from 'vitest';
import { documentLimits } from '../../../src/documents/limits.ts';
import { bundleOf, diagnosticsOf, placesOf, secondaryDocument } from './parsing.ts';

const names = (...texts: string[]) => [...bundleOf(texts).secondaries.keys()];
const startAfter = (name: string, ...texts: string[]) =>
  [...bundleOf(texts).secondaries].find(([each]) => each === name)?.[1].startAfter;

describe('replicas', () => {
  test('are numbered from 0; without them there is one, called NAME', () => {
    expect(names(secondaryDocument('web', 'replicas: 3'))).toEqual(['web-0', 'web-1', 'web-2']);
    expect(names(secondaryDocument('web', 'replicas: 1'))).toEqual(['web-0']);
    expect(names(secondaryDocument('web'))).toEqual(['web']);
    expect(names(secondaryDocument('web', 'replicas: 1000'))).toHaveLength(1000);
  });

  test.each(['0', '1001', '-1', '1.5', '"3"', 'null'])('are not %s', (count) => {
    expect(placesOf([secondaryDocument('web', `replicas: ${count}`)])).toEqual([
      'InvalidValue 10:13 spec.replicas',
    ]);
  });

  test('are told apart by $(name) in the command line, which is the only placeholder', () => {
    const withLine = (line: string) =>
      secondaryDocument('web', 'replicas: 2').replace(
        'file: vmlinuz',
        `file: vmlinuz, commandLine: "${line}"`,
      );
    const { secondaries } = bundleOf([withLine('host=$(name) cost=$5 $(name)')]);
    expect([...secondaries.values()].map(({ boot }) => boot)).toMatchObject([
      { commandLine: 'host=web-0 cost=$5 web-0' },
      { commandLine: 'host=web-1 cost=$5 web-1' },
    ]);
    for (const line of ['$(nmae)', '$(', '$()', '$(name', '$$(reboot)', '$(name)$(x)']) {
      expect(placesOf([withLine(line)])).toEqual([
        expect.stringMatching(/^InvalidValue .* spec.boot.kernel.commandLine$/),
      ]);
    }
    expect(placesOf([withLine('$(name)'.repeat(292))])).toEqual([]);
    const long = `${'x'.repeat(2042)}$(name)`;
    expect(placesOf([withLine(long.slice(3))])).toEqual([]);
    expect(
      placesOf([withLine('$(name)'.repeat(292)).replace('name: web', 'name: web-server')]),
    ).toEqual([expect.stringMatching(/^InvalidValue .* spec.boot.kernel.commandLine$/)]);
  });

  test('have names that fit with their number', () => {
    const name = (length: number) => 'w'.repeat(length);
    expect(placesOf([secondaryDocument(name(30), 'replicas: 10')])).toEqual([]);
    expect(placesOf([secondaryDocument(name(30), 'replicas: 11')])).toEqual([
      'InvalidValue 5:9 metadata.name',
    ]);
    expect(placesOf([secondaryDocument(name(32))])).toEqual([]);
  });

  test('cannot have the names of other Secondaries, whichever comes first', () => {
    const web = secondaryDocument('web', 'replicas: 3');
    const other = secondaryDocument('web-1');
    expect(placesOf([web + other])).toEqual(['DuplicateName 15:9 metadata.name']);
    expect(placesOf([other + web])).toEqual(['DuplicateName 14:9 metadata.name']);
  });

  test('cannot share a disk', () => {
    const disk = (...more: string[]) =>
      secondaryDocument('db', ...more).replace(
        'kernel: { file: vmlinuz }',
        'disk: { file: db.img, format: raw }',
      );
    expect(placesOf([disk()])).toEqual([]);
    expect(placesOf([disk('replicas: 1')])).toEqual([]);
    expect(placesOf([disk('replicas: 2')])).toEqual(['DiskInUse 9:25 spec.boot.disk.file']);
  });

  test('are bounded over all documents', () => {
    const fleets = Array.from({ length: 21 }, (_, i) =>
      secondaryDocument(`f${i}`, 'replicas: 1000'),
    );
    expect(placesOf([fleets.slice(0, 20).join('')])).toEqual([]);
    expect(placesOf([fleets.join('')])).toEqual([
      expect.stringMatching(/^TooLarge .* spec.replicas$/),
    ]);
    expect(documentLimits.secondariesMax).toBe(20_000);
  });
});

test('labels and protection reach the model', () => {
  const text = secondaryDocument('web', 'protect: true').replace(
    'name: web',
    'name: web\n  labels: { app: shop, constructor: x }',
  );
  const [web] = bundleOf([text]).secondaries.values();
  expect(web?.protect).toBe(true);
  expect(web?.labels).toEqual(
    new Map([
      ['app', 'shop'],
      ['constructor', 'x'],
    ]),
  );
});

describe('start order', () => {
  test('names Secondaries, one replica, or all replicas by the name of their document', () => {
    const db = secondaryDocument('db', 'replicas: 2');
    const web = (list: string) => secondaryDocument('web', 'replicas: 2', `startAfter: ${list}`);
    expect(startAfter('web-1', db, web('[db]'))).toEqual(['db-0', 'db-1']);
    expect(startAfter('web-0', web('[db-1]'), db)).toEqual(['db-1']);
    expect(startAfter('web-0', web('[db-1, db]'), db)).toEqual(['db-1', 'db-0']);
    expect(startAfter('db-0', db, web('[db]'))).toEqual([]);
  });

  test('of a name that nothing has, with the one that was meant', () => {
    const texts = [secondaryDocument('db') + secondaryDocument('web', 'startAfter: [db, bd]')];
    expect(placesOf(texts)).toEqual(['UnknownReference 19:20 spec.startAfter[1]']);
    expect(diagnosticsOf(texts)[0]).toMatchObject({
      message: 'there is no Secondary named "bd"',
      remedy: 'did you mean db?',
    });
    expect(
      placesOf([
        secondaryDocument('web', 'startAfter: [db-2]'),
        secondaryDocument('db', 'replicas: 2'),
      ]),
    ).toEqual(['UnknownReference 10:16 spec.startAfter[0]']);
  });

  test('is not doubted because what it names has a mistake of its own', () => {
    const db = secondaryDocument('db').replace('vcpus: 1', 'vcpus: 0');
    const web = (list: string) => secondaryDocument('web', `startAfter: ${list}`);
    expect(placesOf([db, web('[db]')])).toEqual(['InvalidValue 7:10 spec.vcpus']);
    expect(placesOf([db, web('[db-3]')])).toEqual(['InvalidValue 7:10 spec.vcpus']);
    expect(placesOf([db, web('[other]')])).toHaveLength(2);
    expect(placesOf(['a: "', web('[other]')])).toHaveLength(1);
  });

  test('the same name twice', () => {
    const texts = [secondaryDocument('db') + secondaryDocument('web', 'startAfter: [db, db]')];
    expect(placesOf(texts)).toEqual(['InvalidValue 19:3 spec.startAfter']);
  });

  test.each([
    ['itself', 'web'],
    ['one of its own replicas', 'web-0'],
  ])('of %s', (_what, name) => {
    const text = secondaryDocument('web', 'replicas: 2', `startAfter: [${name}]`);
    expect(diagnosticsOf([text])).toMatchObject([
      { code: 'StartCycle', line: 11, message: 'Secondary "web" would wait for itself' },
    ]);
  });

  test('in a circle, once, with all of it', () => {
    const of = (name: string, after: string) => secondaryDocument(name, `startAfter: [${after}]`);
    const texts = [
      of('a', 'b'),
      of('b', 'c') + of('x', 'a'),
      of('c', 'a'),
      of('d', 'e'),
      of('e', 'd'),
    ];
    expect(
      diagnosticsOf(texts).map(({ file, line, message }) => `${file}:${line} ${message}`),
    ).toEqual([
      '0.yaml:10 none of them could ever start: a after b after c after a',
      '3.yaml:10 none of them could ever start: d after e after d',
    ]);
  });

  test('of everybody after everybody is told without end neither in time nor in words', () => {
    const fleet = Array.from({ length: 5000 }, (_, i) =>
      secondaryDocument(`v${i}`, `startAfter: [v${(i + 1) % 5000}]`),
    );
    const [cycle, ...others] = diagnosticsOf([fleet.join('')]);
    expect(others).toEqual([]);
    expect(cycle?.message.length).toBeLessThan(1000);
    const pairs =
      secondaryDocument('a', 'replicas: 1000') +
      secondaryDocument('b', 'replicas: 1000', 'startAfter: [a]');
    expect(placesOf([pairs])).toEqual(['TooLarge 21:3 spec.startAfter']);
  });
});
