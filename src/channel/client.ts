/**
 * The client of the operator's API: what `unnest` asks of `unnestd`. Each call is a connection of its
 * own: on a Unix socket that costs nothing, and nothing is left open.
 */
import type * as z from 'zod';
import type { PlainDocument } from '../documents/plain-document.ts';
import type { PartitionName, SecondaryName } from '../model/names.ts';
import type { EventRecord } from '../report/event.ts';
import type { PartitionStatus } from '../report/partition-status.ts';
import type { AcceptedBundle, HistoryEntry } from '../report/submission.ts';
import * as answers from './client-answers.ts';
import { openLines } from './client-lines.ts';
import { ask, type Wish } from './client-transport.ts';
import type { PowerAction } from './control.ts';
import type { EventsQuery, PauseMessage, SubmissionMessage } from './messages.ts';

/** Each rejects with a `DaemonError` and nothing else; `Cancelled` when the signal fires. */
export interface DaemonClient {
  readonly socketPath: string;
  /** Which version answers, and which host and state directory it has. */
  about(signal: AbortSignal): Promise<answers.About>;
  partitions(signal: AbortSignal): Promise<answers.Partitions>;
  status(name: PartitionName, signal: AbortSignal): Promise<PartitionStatus>;
  /** One at once, then one at every change. Ends when the signal fires, or the daemon ends it. */
  statuses(name: PartitionName, signal: AbortSignal): Promise<AsyncIterable<PartitionStatus>>;
  events(query: EventsQuery, signal: AbortSignal): Promise<AsyncIterable<EventRecord>>;
  desired(name: PartitionName, signal: AbortSignal): Promise<AcceptedBundle>;
  /** The operator's description of the partition. */
  description(name: PartitionName, signal: AbortSignal): Promise<PlainDocument>;
  history(name: PartitionName, signal: AbortSignal): Promise<readonly HistoryEntry[]>;
  submit(
    name: PartitionName,
    submission: SubmissionMessage,
    signal: AbortSignal,
  ): Promise<answers.Accepted>;
  rollback(name: PartitionName, generation: number, signal: AbortSignal): Promise<answers.Accepted>;
  /** @returns what the daemon says about it, for people; so below */
  pause(name: PartitionName, pause: PauseMessage, signal: AbortSignal): Promise<string>;
  resume(
    name: PartitionName,
    secondary: SecondaryName | null,
    signal: AbortSignal,
  ): Promise<string>;
  power(
    name: PartitionName,
    secondary: SecondaryName,
    action: PowerAction,
    signal: AbortSignal,
  ): Promise<string>;
  retry(name: PartitionName, signal: AbortSignal): Promise<string>;
  drain(name: PartitionName, signal: AbortSignal): Promise<string>;
}

/** Connects to nothing yet. */
export function daemonClient(socketPath: string): DaemonClient {
  const get = <T>(path: string, schema: z.ZodType<T>, signal: AbortSignal) =>
    ask(socketPath, { method: 'GET', path }, schema, signal);
  const lines = <T>(path: string, schema: z.ZodType<T>, signal: AbortSignal) =>
    openLines(socketPath, { method: 'GET', path }, schema, signal);
  return {
    socketPath,
    about: (signal) => get('/v1/version', answers.versionAnswer, signal),
    partitions: (signal) => get('/v1/partitions', answers.partitionsAnswer, signal),
    status: (name, signal) => get(pathOf(name), answers.statusAnswer, signal),
    statuses: (name, signal) =>
      lines(`${pathOf(name)}/status?watch=1`, answers.statusAnswer, signal),
    events: (query, signal) => lines(eventsPath(query), answers.eventAnswer, signal),
    desired: (name, signal) => get(`${pathOf(name)}/desired`, answers.bundleAnswer, signal),
    description: (name, signal) =>
      get(`${pathOf(name)}/description`, answers.descriptionAnswer, signal),
    history: async (name, signal) =>
      (await get(`${pathOf(name)}/history`, answers.historyAnswer, signal)).items,
    ...ordersOver(socketPath),
  };
}

type Orders = Pick<
  DaemonClient,
  'submit' | 'rollback' | 'pause' | 'resume' | 'power' | 'retry' | 'drain'
>;

function ordersOver(socketPath: string): Orders {
  const submit = (wish: Wish, signal: AbortSignal) =>
    ask(socketPath, wish, answers.submissionAnswer, signal);
  const order = async (path: string, body: object, signal: AbortSignal) => {
    const wish: Wish = { method: 'POST', path, body };
    return (await ask(socketPath, wish, answers.orderAnswer, signal)).message;
  };
  return {
    submit: (name, body, signal) =>
      submit({ method: 'PUT', path: `${pathOf(name)}/desired`, body }, signal),
    rollback: (name, generation, signal) =>
      submit({ method: 'POST', path: `${pathOf(name)}/rollback`, body: { generation } }, signal),
    pause: (name, pause, signal) => order(`${pathOf(name)}/pause`, pause, signal),
    resume: (name, secondary, signal) => order(`${pathOf(name)}/resume`, { secondary }, signal),
    power: (name, secondary, action, signal) =>
      order(`${pathOf(name)}/secondaries/${secondary}/${action}`, {}, signal),
    retry: (name, signal) => order(`${pathOf(name)}/retry`, {}, signal),
    drain: (name, signal) => order(`${pathOf(name)}/drain`, { confirm: name }, signal),
  };
}

/** Nothing in a name needs quoting. */
function pathOf(name: PartitionName): string {
  return `/v1/partitions/${name}`;
}

function eventsPath({ after, watch = false, partition }: EventsQuery): string {
  const query = new URLSearchParams();
  if (after !== undefined) query.set('after', `${after}`);
  if (watch) query.set('watch', '1');
  if (partition !== undefined) query.set('partition', partition);
  return `/v1/events?${query.toString()}`;
}
