import { describe, expect, test } from 'vitest';
import type { GuestEnd } from '../../../src/daemon/runs.ts';
import { lookAtSlice, noStory, type SliceStory } from '../../../src/daemon/slice-story.ts';
import type { Observed } from '../../../src/model/domain.ts';
import type { SecondaryName } from '../../../src/model/names.ts';
import { absent, present, unknown } from '../../../src/model/observation.ts';
import type { SliceUsage } from '../../../src/model/slice.ts';

const seeing = (slice: unknown) => ({ slice }) as Observed;
const using = (usage: Partial<SliceUsage>) =>
  seeing(present({ usage: { periods: 0, throttledPeriods: 0, oomKills: 0, ...usage } }));

describe('guests are held back', () => {
  /** Looks at these counts, each so many seconds after the beginning. */
  const told = (
    ...looks: readonly (readonly [seconds: number, periods: number, throttled: number])[]
  ): readonly boolean[] => {
    let story: SliceStory = noStory;
    return looks.map(([seconds, periods, throttledPeriods]) => {
      story = lookAtSlice(story, using({ periods, throttledPeriods }), [], seconds * 1000);
      return story.isThrottled;
    });
  };

  test('if they were in a quarter of the periods of a minute, and never by a first look', () => {
    expect(told([0, 900, 900], [60, 1500, 1050])).toEqual([false, true]);
    expect(told([0, 900, 900], [60, 1500, 1049])).toEqual([false, false]);
  });

  test('whatever is looked at within that minute', () => {
    const looks = [1, 2, 30, 59].map((at) => [at, at * 10, at * 10] as const);
    expect(told([0, 0, 0], ...looks, [60, 600, 600])).toEqual([
      ...[0, 0, 0, 0, 0].map(() => false),
      true,
    ]);
  });

  test('until it is clearly less, so that it does not come and go', () => {
    expect(told([0, 0, 0], [60, 600, 200], [120, 1200, 300], [180, 1800, 350])).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  test('no longer once they hardly run', () => {
    expect(told([0, 0, 0], [60, 600, 600], [360, 640, 640])).toEqual([false, true, false]);
  });

  test('not by the counts of another slice of the same name', () => {
    expect(told([0, 9000, 9000], [60, 600, 600], [120, 1200, 600])).toEqual([false, false, false]);
  });
});

describe('when the kernel kills', () => {
  const ended = (reason: GuestEnd['reason'], ...names: readonly string[]): readonly GuestEnd[] =>
    names.map((name) => ({ name: name as SecondaryName, reason, times: 1, waitMs: 0 }));
  type Look = readonly [seconds: number, oomKills: number, ended?: readonly GuestEnd[]];
  const victims = (...looks: readonly Look[]) => {
    let story: SliceStory = noStory;
    for (const [seconds, oomKills, whoEnded = []] of looks) {
      story = lookAtSlice(story, using({ oomKills }), whoEnded, seconds * 1000);
    }
    return story.victims;
  };

  test('it was whoever has crashed at that look', () => {
    expect(victims([0, 0], [100, 1, ended('crashed', 'web')])).toEqual(['web']);
    expect(victims([0, 0], [100, 1, ended('failed', 'web')])).toEqual(['web']);
  });

  test('it was who is seen to have crashed a little later, or earlier', () => {
    expect(victims([0, 0], [100, 1], [101, 1, ended('crashed', 'web')])).toEqual(['web']);
    expect(victims([0, 0], [100, 0, ended('crashed', 'web')], [101, 1])).toEqual(['web']);
    expect(
      victims([0, 0], [100, 2, ended('crashed', 'a')], [101, 2, ended('crashed', 'b')]),
    ).toEqual(['a', 'b']);
  });

  test('it was not who has crashed at another time, or shut down', () => {
    expect(victims([0, 0], [50, 0, ended('crashed', 'web')], [100, 1])).toEqual([]);
    expect(victims([0, 0], [100, 1], [150, 1, ended('crashed', 'web')])).toEqual([]);
    expect(victims([0, 0], [100, 1, ended('guest-shutdown', 'web')])).toEqual([]);
    expect(victims([0, 0], [100, 1, ended('powered-off', 'web')])).toEqual([]);
  });

  test('the last time counts', () => {
    expect(victims([0, 0], [100, 1, ended('crashed', 'web')], [200, 2])).toEqual([]);
    const next = ended('crashed', 'other');
    expect(victims([0, 0], [100, 1, ended('crashed', 'web')], [101, 2, next])).toEqual(['other']);
  });

  test('nobody is named where nobody was watching', () => {
    expect(victims([0, 3, ended('crashed', 'web')], [100, 3])).toBeNull();
  });

  test('what could not be read changes nothing, and what is gone is forgotten', () => {
    const story = lookAtSlice(noStory, using({ oomKills: 1 }), [], 0);
    const unread = seeing(unknown('it took too long'));
    expect(lookAtSlice(story, unread, [], 1000)).toEqual(story);
    expect(lookAtSlice(story, seeing(absent), [], 1000)).toEqual(noStory);
  });
});
