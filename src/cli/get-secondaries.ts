/** Where `unnest get` has its Secondaries from, once or for as long as somebody looks. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { DaemonClient } from '../channel/client.ts';
import { nothingWanted } from '../observe/wanted.ts';
import { withinLimits } from './daemon.ts';
import type { Environment, Target } from './environment.ts';
import { type Limits, observeHost } from './pass.ts';
import { rowsOfHost, rowsOfReport, type SecondaryRows } from './secondary-rows.ts';
import { using } from './using.ts';

const lookEveryMs = 2000;

/** Calls back with each look, until it says that it is enough or the limits end it. */
export async function eachLookAtHost(
  target: Target,
  environment: Environment,
  limits: Limits,
  take: (rows: SecondaryRows) => 'enough' | 'more',
): Promise<void> {
  await using(environment.openView, target, limits, async (host) => {
    for (;;) {
      const observed = await observeHost(
        host,
        target.partition,
        nothingWanted,
        environment,
        limits,
      );
      if (take(rowsOfHost(observed)) === 'enough') return;
      await sleep(lookEveryMs, undefined, { signal: limits.stop });
    }
  });
}

/** The same, whenever unnestd says that something has changed. */
export async function eachStatus(
  client: DaemonClient,
  { partition }: Target,
  limits: Limits,
  take: (rows: SecondaryRows) => 'enough' | 'more',
): Promise<void> {
  const ends = new AbortController();
  const stop = AbortSignal.any([limits.stop, ends.signal]);
  const opening = client.statuses(partition, stop);
  try {
    for await (const status of await withinLimits(limits, 'the status was read', opening)) {
      if (take(rowsOfReport(status)) === 'enough') return;
    }
  } finally {
    ends.abort();
  }
}
