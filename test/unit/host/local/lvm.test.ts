/** What LVM says, and what is made of it. LVM itself is met in the lab (`thin`): this kernel need not have it. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { groupIn, patience, systemLvm } from '../../../../src/host/local/lvm.ts';
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
  chunk_size: '65536',
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
  chunk_size: '0',
};
const text = (...lv: readonly object[]) => JSON.stringify({ report: [{ lv }] });

/** A program in the place of LVM's. */
function fake(body: string, answerMsMax = 60_000) {
  const dir = mkdtempSync(join(tmpdir(), 'unnest-lvm-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const path = join(dir, 'lvm');
  writeFileSync(path, `#!/bin/sh\ncd ${dir}\n${body}\n`);
  chmodSync(path, 0o755);
  return {
    lvm: systemLvm(path, false, patience(answerMsMax)),
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
      chunkBytes: 0,
      isOrigin: false,
      health: '',
      isActive: true,
      dataPercent: 0,
      metadataPercent: null,
    });
    const thinPool = { isThinPool: true, pool: null, tags: [], chunkBytes: 65_536 };
    expect(volumes.get('thin')).toMatchObject(thinPool);
  });

  test('says of what something else is made', () => {
    const rows = [{ ...volume, lv_attr: 'owi-aotz-k' }, pool, pool];
    const { volumes } = groupIn(text(...rows));
    expect(volumes.get('unnest.team-a.data')).toMatchObject({ isOrigin: true });
    // Whatever has several segments has as many rows.
    expect(volumes.size).toBe(2);
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
      pool: 'vg/thin',
      grainBytes: 4 * 2 ** 20,
      keeps: 'raw',
      freeBytes: GiB,
      refusal: null,
    });
    expect(store({}, volume, foreign, { ...volume, lv_size: `${2 * GiB}` }).freeBytes).toBe(0);
    const elsewhere = { ...foreign, pool_lv: 'another' };
    expect(store({}, volume, elsewhere).freeBytes).toBe(9 * GiB);
  });

  test('hands out whole chunks, also to what is smaller', () => {
    const large = { chunk_size: `${6 * 2 ** 20}`, lv_size: `${GiB}` };
    const small = { ...volume, lv_size: `${4 * 2 ** 20}` };
    expect(store(large, small)).toMatchObject({
      grainBytes: 12 * 2 ** 20,
      freeBytes: GiB - 6 * 2 ** 20,
    });
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

  test('fails with its own words, but for its warnings', async () => {
    const warn = 'for n in 1 2 3; do echo "  WARNING: sum of all: $n" >&2; done';
    const { lvm } = fake(`${warn}; echo "  Volume group \\"vg\\" not found" >&2; exit 5`);
    const message = `LVM says "Volume group 'vg' not found"`;
    const calls = [() => lvm.report('vg', never), () => lvm.change('lvcreate', [], never)];
    for (const call of calls) {
      const failed = await call().catch((error: unknown) => error);
      expect(failed).toMatchObject({ code: 'Refused', context: { exitCode: 5 } });
      expect((failed as Error).cause).toMatchObject({ message });
    }
  });

  test('is waited for no longer than it may take, and not asked twice at once', async () => {
    // What it leaves behind keeps its output open, as one does that cannot be killed.
    const { lvm, has, write, read } = fake(
      'echo . >>asked; setsid sh -c "while [ ! -e go ]; do sleep 0.05; done; touch gone" & exit 0',
      500,
    );
    const timeout = { code: 'Timeout' };
    await expect(lvm.report('vg', never)).rejects.toMatchObject(timeout);
    await expect(lvm.report('vg', never)).rejects.toMatchObject(timeout);
    expect(read('asked')).toBe('.\n');
    write('go');
    await vi.waitUntil(() => has('gone'));
    await vi.waitUntil(async () => {
      await lvm.report('vg', never).catch(() => undefined);
      return read('asked') !== '.\n';
    });
  });

  test('is not begun once told to stop, and not ended by that', async () => {
    const body = 'touch begun; while [ ! -e go ]; do sleep 0.01; done; touch done';
    const { lvm, has, write } = fake(body);
    const ending = new AbortController();
    const changing = lvm.change('lvremove', ['vg/a'], ending.signal);
    await vi.waitUntil(() => has('begun'));
    ending.abort();
    // Nor does one wait for its turn who has given up.
    const later = lvm.change('lvremove', ['vg/b'], ending.signal);
    await expect(later).rejects.toMatchObject({ code: 'Cancelled' });
    expect(has('done')).toBe(false);
    write('go');
    await changing;
    expect(has('done')).toBe(true);
  });
});
