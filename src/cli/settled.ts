/** Whether unnestd is done with a partition for now, and what it is like then. */
import type { Condition } from '../report/condition.ts';
import type { PartitionStatus, SecondaryReport } from '../report/partition-status.ts';
import { unfitIn } from './unfit.ts';

export type Settled =
  /** @param now in words: what is still to be done */
  | { readonly status: 'moving'; readonly now: string }
  | { readonly status: 'synced'; readonly waiting: readonly string[] }
  /** Nothing more is done until somebody does something. */
  | { readonly status: 'stuck'; readonly why: readonly string[] };

export function settledIn(status: PartitionStatus): Settled {
  const { secondaries, resources, conditions } = status;
  const accepted = conditions.find(({ type }) => type === 'Accepted');
  if (accepted?.status === 'False') return { status: 'stuck', why: [accepted.message] };
  // Then everything in it is blocked, by the same words.
  const unfit = unfitIn(status);
  if (unfit !== null) return { status: 'stuck', why: [`the whole partition: ${unfit}`] };
  const parts = [...secondaries.map(partOfSecondary), ...resources.map(partOfResource)];
  const of = (state: Part['state']) => parts.filter((part) => part.state === state);
  const moving = of('moving');
  if (moving.length > 0) return { status: 'moving', now: listed(moving.map(({ words }) => words)) };
  const stuck = of('stuck');
  if (stuck.length > 0) return { status: 'stuck', why: stuck.map(({ words }) => words) };
  if (status.sync === 'Unknown') return { status: 'moving', now: unknownWords(conditions) };
  return { status: 'synced', waiting: of('waiting').map(({ words }) => words) };
}

interface Part {
  readonly state: 'synced' | 'moving' | 'waiting' | 'stuck';
  /** Which one, and what about it. */
  readonly words: string;
}

function partOfSecondary({ name, sync, health, conditions }: SecondaryReport): Part {
  const holds = (type: Condition['type']) =>
    conditions.find((each) => each.type === type && each.status === 'True');
  const waits = holds('RestartRequired');
  const blocked = holds('Blocked');
  const synced = conditions.find(({ type }) => type === 'Synced');
  const why = `${name} is ${sync}${saying(synced?.message)}`;
  switch (sync) {
    case 'Synced':
      return { state: 'synced', words: name };
    case 'OutOfSync':
      return waits !== undefined && health !== 'Progressing'
        ? { state: 'waiting', words: `${name} (${waits.message})` }
        : { state: 'moving', words: why };
    case 'Blocked':
      if (blocked?.reason === 'BackOff') {
        return { state: 'moving', words: `${name} is tried again: ${blocked.message}` };
      }
      return {
        state: 'stuck',
        words: `${name}: ${blocked?.reason ?? sync}${saying(blocked?.message)}`,
      };
    case 'Unknown':
      return { state: 'moving', words: why };
  }
}

function partOfResource({ kind, name, sync, message }: PartitionStatus['resources'][number]): Part {
  const words = `${kind} ${name} is ${sync}${saying(message)}`;
  switch (sync) {
    case 'Synced':
      return { state: 'synced', words };
    case 'OutOfSync':
    case 'Unknown':
      return { state: 'moving', words };
    case 'Blocked':
      return { state: /^(?:BackOff|Fetching):/.test(message) ? 'moving' : 'stuck', words };
  }
}

const saying = (message: string | undefined) => (message ? `: ${message}` : '');

/** About its domains; what a store holds it may not know. */
export function doesHostAnswer(conditions: readonly Condition[]): boolean {
  return conditions.some(
    ({ type, status, reason }) =>
      type === 'HostReachable' && (status === 'True' || reason === 'NotListed'),
  );
}

export function unknownWords(conditions: readonly Condition[]): string {
  const host = conditions.find(({ type }) => type === 'HostReachable');
  if (host?.status === 'False') return `the host does not answer${saying(host.message)}`;
  return host?.message ? `not all could be listed: ${host.message}` : 'it was not looked at yet';
}

const listedMax = 5;

/** As many as a person reads. */
export function listed(words: readonly string[]): string {
  const more = words.length - listedMax;
  const shown = words.slice(0, listedMax).join(', ');
  return more > 0 ? `${shown}, and ${more} more` : shown;
}
