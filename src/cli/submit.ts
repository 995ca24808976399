/**
 * Documents handed to unnestd, and what becomes of them, as lines while it happens. What was accepted
 * is in force whether anybody goes on looking or not.
 */
import type { Accepted } from '../channel/client-answers.ts';
import type { DaemonClient } from '../channel/client.ts';
import type { ApiFeature } from '../channel/messages.ts';
import type { PartitionName } from '../model/names.ts';
import type { EventRecord } from '../report/event.ts';
import { stoppedLooking, withinLimits } from './daemon.ts';
import type { Environment, Output } from './environment.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { follow, type Followed, type Following } from './follow.ts';
import { lastPassOf } from './last-pass.ts';
import { MovingLine } from './moving-line.ts';
import type { Limits } from './pass.ts';
import { eventWords } from './render/events.ts';
import { formatDuration } from './render/outcomes.ts';
import { paintFor, printable } from './render/paint.ts';
import { shortDigest } from './render/partition-status.ts';

export interface Handing {
  readonly client: DaemonClient;
  readonly partition: PartitionName;
  readonly give: (stop: AbortSignal) => Promise<Accepted>;
  readonly wait: boolean;
  readonly output: 'text' | 'json';
}

export async function hand(
  handing: Handing,
  environment: Environment,
  limits: Limits,
): Promise<ExitCode> {
  const { client, partition, give, wait, output } = handing;
  // Lines for a person go where they do not mix with the document.
  const to = output === 'json' ? environment.stderr : environment.stdout;
  const ends = new AbortController();
  const stop = AbortSignal.any([limits.stop, ends.signal]);
  try {
    const query = { after: 'latest', watch: true, partition } as const;
    const events = wait
      ? await withinLimits(limits, 'unnestd was asked', client.events(query, stop))
      : null;
    const before = wait ? await lastPassOf(handing, limits) : null;
    const accepted = await withinLimits(
      limits,
      'unnestd was asked; whether it has accepted the documents, `unnest history` says',
      give(limits.stop),
    );
    to.write(`${acceptedWords(accepted)}\n`);
    if (events === null) return finish(accepted, null, handing, environment);
    // Whoever hands in again what is in force asks what is so now.
    const isOld = accepted.status === 'unchanged' && (await looksAnew(handing, limits));
    const after = isOld ? before : null;
    const followed = await lookOn(accepted, { events, after }, handing, to, environment, limits);
    return finish(accepted, followed, handing, environment);
  } finally {
    ends.abort();
  }
}

/** An older daemon has nothing to look for then. */
async function looksAnew({ client }: Handing, limits: Limits): Promise<boolean> {
  const asking = client.about(limits.stop);
  const { features } = await withinLimits(limits, 'unnestd was asked what it can', asking);
  return features.includes('looks-anew' satisfies ApiFeature);
}

function acceptedWords({ status, bundle }: Accepted): string {
  const { generation, digest } = bundle;
  const which = `generation ${generation} (${shortDigest(digest)})`;
  return status === 'accepted' ? `accepted ${which}` : `nothing changed: ${which} is in force`;
}

type SettledOnes = Extract<Followed, { readonly status: 'settled' }>;

async function lookOn(
  { bundle }: Accepted,
  { events, after }: Pick<Following, 'after'> & { readonly events: AsyncIterable<EventRecord> },
  { client, partition }: Handing,
  to: Output,
  { variables, now }: Environment,
  limits: Limits,
): Promise<SettledOnes> {
  const paint = paintFor(to, variables);
  const { generation } = bundle;
  const sinceMs = now();
  let left = 'unnestd is at work on it';
  const underWay = () => `${printable(left)}, ${formatDuration(now() - sinceMs)}`;
  const line = new MovingLine(to, paint, underWay);
  const following = {
    partition,
    generation,
    after,
    onEvent: ({ event }: EventRecord) => {
      if (shown.has(event.kind)) line.print(`  ${eventWords(event, paint)}`);
    },
    onNow: (words: string) => {
      left = words;
    },
  };
  try {
    const followed = await follow(client, events, following, limits.stop);
    if (followed.status === 'settled') return followed;
    throw stoppedLooking(limits, `generation ${generation} of ${partition}`, followed.now);
  } finally {
    line.end();
  }
}

/** What whoever waits wants to see; `unnest events` has the rest. */
const shown: ReadonlySet<EventRecord['event']['kind']> = new Set([
  'host-lost',
  'host-back',
  'daemon-stopping',
  'pass-failed',
  'operation-finished',
  'guest-ended',
  'retry-planned',
  'gave-up',
]);

function finish(
  { status, bundle }: Accepted,
  followed: SettledOnes | null,
  { output }: Handing,
  { stdout, variables }: Environment,
): ExitCode {
  const settled = followed?.settled ?? null;
  if (output === 'json') {
    const document = {
      apiVersion: 'unnest.dev/apply/v1',
      submission: { status, ...bundle },
      result: settled,
      status: followed?.partition ?? null,
    };
    stdout.write(`${JSON.stringify(document, null, 2)}\n`);
  } else if (settled !== null) {
    const paint = paintFor(stdout, variables);
    for (const line of settledLines(settled, bundle.generation)) {
      stdout.write(`${settled.status === 'synced' ? line : paint.red(line)}\n`);
    }
  }
  return settled?.status === 'stuck' ? exitCodes.partial : exitCodes.ok;
}

function settledLines(settled: SettledOnes['settled'], generation: number): string[] {
  switch (settled.status) {
    case 'synced': {
      const { waiting } = settled;
      if (waiting.length === 0) {
        return [`Synced: the host has what generation ${generation} asks for.`];
      }
      const which = waiting.map((each) => printable(each)).join(', ');
      return [`Applied generation ${generation}; waits for a restart: ${which}`];
    }
    case 'stuck': {
      const { why } = settled;
      const whys = why.map((each) => `  ${printable(each)}`);
      return [`Not all of generation ${generation} could be done:`, ...whys];
    }
  }
}
