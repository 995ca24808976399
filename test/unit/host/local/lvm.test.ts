/** What LVM says, and what is made of it. LVM itself is met in the lab (`thin`): this kernel need not have it. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { groupIn, systemLvm } from '../../../../src/host/local/lvm.ts';
import { storeIn } from '../../../../src/host/local/thin-pool.ts';

const never = new AbortController().signal;
const thin = { group: 'vg', pool: 'thin' };
const GiB = 2 ** 30;

const pool = {
  lv_name: 'thin',
  lv_size: `${10 * GiB}`,
  lv_tags: '',
  lv_attr: 'twi-aotz--',
  lv_layout: 'thin,pool',
  lv_health_status: '',
  pool_lv: '',
  data_percent: '12.50',
  metadata_percent: '10.94',
  vg_extent_size: `${4 * 2 ** 20}`,
};
const volume = {
  ...pool,
  lv_name: 'unnest.team-a.data',
  lv_size: `${GiB}`,
  lv_tags: 'unnest.owner=a/team-a/data,more',
  lv_attr: 'Vwi-a-tz-k',
  lv_layout: 'thin,sparse',
  pool_lv: 'thin',
  data_percent: '0.00',
  metadata_percent: '',
};
const text = (...lv: readonly object[]) => JSON.stringify({ report: [{ lv }] });

/** A program in the place of LVM's. */
function fake(body: string) {
  const dir = mkdtempSync(join(tmpdir(), 'unnest-lvm-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const path = join(dir, 'lvm');
  writeFileSync(path, `#!/bin/sh\ncd ${dir}\n${body}\n`);
  chmodSync(path, 0o755);
  return {
    lvm: systemLvm(path, false),
    read: (name: string) => readFileSync(join(dir, name), 'utf8'),
    write: (name: string) => writeFileSync(join(dir, name), ''),
    has: (name: string) => existsSync(join(dir, name)),
  };
}

describe('a report', () => {
  test('is what there is', () => {
    const { extentBytes, volumes } = groupIn(text(pool, volume));
    expect(extentBytes).toBe(4 * 2 ** 20);
    expect(volumes.get('unnest.team-a.data')).toEqual({
      name: 'unnest.team-a.data',
      sizeBytes: GiB,
      tags: ['unnest.owner=a/team-a/data', 'more'],
      pool: 'thin',
      isThinPool: false,
      isZeroing: true,
      health: '',
      isActive: true,
      dataPercent: 0,
      metadataPercent: null,
    });
    expect(volumes.get('thin')).toMatchObject({ isThinPool: true, pool: null, tags: [] });
  });

  test.each([
    ['', 'nothing'],
    ['{}', 'something else'],
    [text({ ...pool, lv_size: '10g' }), 'a size with a unit'],
    [text({ ...pool, lv_size: '-1' }), 'a size below zero'],
    [text({ ...pool, data_percent: 'x' }), 'no number'],
    [text({ ...pool, lv_attr: undefined }), 'less than was asked for'],
  ])('that is none is refused: %#', (json) => {
    expect(() => groupIn(json)).toThrow(/no report/);
  });
});

describe('a thin pool', () => {
  const store = (of: object, ...others: readonly object[]) =>
    storeIn(groupIn(text({ ...pool, ...of }, ...others)), thin);

  test('has room for as much as all in it may come to, whoever made them', () => {
    const foreign = { ...volume, lv_name: 'theirs', lv_tags: '', lv_size: `${8 * GiB}` };
    expect(store({}, volume, foreign)).toEqual({
      grainBytes: 4 * 2 ** 20,
      keeps: 'raw',
      freeBytes: GiB,
      refusal: null,
    });
    expect(store({}, volume, foreign, { ...volume, lv_size: `${2 * GiB}` }).freeBytes).toBe(0);
    const elsewhere = { ...foreign, pool_lv: 'another' };
    expect(store({}, volume, elsewhere).freeBytes).toBe(9 * GiB);
  });

  test.each([
    [{ lv_attr: 'twi-aot---' }, /does not zero/],
    [{ lv_health_status: 'metadata_read_only' }, /metadata_read_only/],
    [{ data_percent: '', metadata_percent: '' }, /not active/],
    // Not how much of it: tenants are told, and it is what others have.
    [{ data_percent: '97.31' }, /is over 95 % full/],
    [{ metadata_percent: '83.77' }, /map .* is over 80 % full/],
  ])('that is not sound gets nothing new: %o', (of, why) => {
    expect(store(of).refusal).toMatch(why);
  });

  test.each([[[]], [[{ ...pool, lv_layout: 'linear' }]]])('has to be one: %#', (rows) => {
    expect(() => storeIn(groupIn(text(...rows)), thin)).toThrow(/there is no|is no thin pool/);
  });
});

describe('running LVM', () => {
  test('is an argument list, with what matters of its configuration', async () => {
    const { lvm, read } = fake('printf "%s\\n" "$@" >said');
    await lvm.change('lvcreate', ['--name', 'a b; c', 'vg'], never);
    const said = read('said').split('\n');
    expect(said.slice(0, 2)).toEqual(['lvcreate', '--config']);
    expect(said[2]).toContain('scan_lvs=0');
    expect(said.slice(3)).toEqual(['--name', 'a b; c', 'vg', '']);
  });

  test.each([
    ['scan_lvs=0', false],
    ['scan_lvs=1', true],
    ['', true],
  ])('asks whether it looks into logical volumes: %s', async (said, does) => {
    const { lvm, read } = fake(`printf "%s\\n" "$@" >said; echo "${said}"`);
    expect(await lvm.scansVolumes(never)).toBe(does);
    // As the host has it, and not as we would.
    expect(read('said')).not.toContain('--config');
  });

  test('fails with its own words', async () => {
    const { lvm } = fake('echo "  Volume group \\"vg\\" not found" >&2; exit 5');
    const failed = await lvm.report('vg', never).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'Refused', context: { exitCode: 5 } });
    expect((failed as Error).cause).toMatchObject({ message: 'Volume group "vg" not found' });
  });

  test('is not begun once told to stop, and not ended by that', async () => {
    const body = 'touch begun; while [ ! -e go ]; do sleep 0.01; done; touch done';
    const { lvm, has, write } = fake(body);
    const ending = new AbortController();
    const changing = lvm.change('lvremove', ['vg/a'], ending.signal);
    await vi.waitUntil(() => has('begun'));
    ending.abort();
    const later = lvm.change('lvremove', ['vg/b'], ending.signal);
    write('go');
    await changing;
    expect(has('done')).toBe(true);
    await expect(later).rejects.toMatchObject({ code: 'Cancelled' });
  });
});
