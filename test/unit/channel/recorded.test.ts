/** What versions before have sent, sent again: each is answered, with all that they read in the answer. */
import type { Socket } from 'node:net';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { primaryScope } from '../../../src/channel/scope.ts';
import { type ApiPlace, apiPlace } from './api-place.ts';
import { secondaryReport, partitionStatus, teamA } from './fake-control.ts';
import { exchangesIn, lostIn, send } from './recorded.ts';

const folder = new URL('recorded/', import.meta.url);
const versions = readdirSync(folder);

const scopes = { operator: undefined, agent: primaryScope(teamA) };

async function placeFor(who: keyof typeof scopes): Promise<ApiPlace> {
  const place = await apiPlace(undefined, scopes[who]);
  place.set(partitionStatus({ secondaries: [secondaryReport()] }));
  place.say({ kind: 'gave-up', partition: teamA, attempts: 3, message: 'no' });
  return place;
}

test('there is something of every version that there was', () => {
  expect(versions).toContain('v1-0.1.0');
});

describe.each(versions)('an unnest of %s', (version) => {
  test.each(['operator', 'agent'] as const)('as %s is answered as it was', async (who) => {
    const place = await placeFor(who);
    const all = exchangesIn(readFileSync(new URL(`${version}/${who}.http`, folder), 'utf8'));
    const streams: Socket[] = [];
    expect(all.length).toBeGreaterThan(15);
    for (const { request, status, answer } of all) {
      const now = await send(place.socket, request, streams);
      const [line = ''] = request.split('\r\n');
      expect({ line, status: now.status }).toEqual({ line, status });
      const lost = lostIn(JSON.parse(answer), JSON.parse(now.answer));
      expect({ line, lost }).toEqual({ line, lost: [] });
    }
    expect(place.bugs).toEqual([]);
    for (const stream of streams) stream.destroy();
    await place.dispose();
  });
});

test('what is not said any more would be noticed', () => {
  const before = { a: 1, items: [{ name: 'x', more: { deep: true } }], none: null };
  expect(lostIn(before, { ...before, b: 2, none: 3 })).toEqual([]);
  expect(lostIn(before, { a: '1', items: [{ name: 'x', more: {} }] })).toEqual([
    '.a',
    '.items[0].more.deep',
    '.none',
  ]);
});
