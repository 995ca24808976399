/** The routes that only look, and those that go on looking: streams of statuses and of events. */
import type * as z from 'zod';
import type { ImageName, PartitionName, SecondaryName } from '../model/names.ts';
import type { EventRecord } from '../report/event.ts';
import { type Answered, noPartition, ofRefusable, problem, value } from './answered.ts';
import type { Control, EventsKept } from './control.ts';
import type { consoleLogQuery, eventsQuery } from './messages.ts';
import { apiProblem, conflictProblem } from './problem.ts';
import type { ApiFeature } from './messages.ts';
import type { Scope } from './scope.ts';

/** What was added to the API, for clients that must know before they rely on it. */
const features = ['idempotency-key', 'looks-anew'] satisfies ApiFeature[];

/** To operators with what somebody needs who looks at the same host without asking for each thing. */
export function readVersion(
  { version, host, stateDir, thinPool }: Control,
  scope: Scope,
): Answered {
  switch (scope.kind) {
    case 'operator':
      return value({ version, api: 'v1', features, host, stateDir, thinPool });
    case 'primary':
      return value({ version, api: 'v1', features, partition: scope.partition });
  }
}

/** Also what is described and mistaken: the list without it would say that nobody has asked. */
export function readPartitions(control: Control): Answered {
  const { partitionsDir } = control;
  const items = control.partitions();
  const problems = control.problems();
  return value({ items, problems, partitionsDir, promised: control.hostSum() });
}

export function readStatus(control: Control, name: PartitionName, watch: boolean): Answered {
  const status = control.status(name);
  if (status === null) return noPartition(name, control);
  return watch ? watchStatus(control, name) : value(status);
}

/** One status at once, then one at every change, until the partition is no longer there. */
function watchStatus(control: Control, name: PartitionName): Answered {
  return {
    kind: 'lines',
    source: (send, end) => {
      const stopStatus = control.onStatus((status) => {
        if (status.partition === name) send(status);
      });
      const stopEvents = control.onEvent(({ event }) => {
        if (event.kind === 'partition-removed' && event.partition === name) end();
      });
      const now = control.status(name);
      if (now === null) end();
      else send(now);
      return () => {
        stopStatus();
        stopEvents();
      };
    },
  };
}

export function readDesired(control: Control, name: PartitionName): Answered {
  if (control.status(name) === null) return noPartition(name, control);
  const bundle = control.accepted(name);
  if (bundle !== null) return value(bundle);
  return problem(apiProblem('NothingAccepted', `partition ${name} has no documents in force yet`));
}

/** The operator's, which a tenant may read: it is what their documents are judged beside. */
export function readDescription(control: Control, name: PartitionName): Answered {
  const description = control.description(name);
  return description === null ? noPartition(name, control) : value(description);
}

const auditedDefault = 100;

export async function readAudit(
  control: Control,
  { partition = null, last = auditedDefault }: AuditQuery,
): Promise<Answered> {
  return value({ items: await control.audited(partition, last) });
}

interface AuditQuery {
  readonly partition?: PartitionName | null | undefined;
  readonly last?: number | undefined;
}

/** A line of a console's stream. */
export type ConsoleLine =
  /** It is open. @property reader names this reader to whoever types as it */
  | { readonly kind: 'opened'; readonly reader: string }
  /** In Base64: a guest may write any byte. */
  | { readonly kind: 'data'; readonly data: string }
  /** This reader has typed, and another does now. */
  | { readonly kind: 'replaced'; readonly message: string }
  /** With what has gone wrong; null: the guest has ended it. */
  | { readonly kind: 'end'; readonly message: string | null };

export function readConsole(
  control: Control,
  name: PartitionName,
  secondary: SecondaryName,
): Answered {
  const answer = control.console(name, secondary);
  if (answer === null) return noPartition(name, control);
  if (answer.status === 'refused') return problem(conflictProblem(answer.code, answer.message));
  return {
    kind: 'lines',
    source: (send, end) => {
      const say = (line: ConsoleLine) => send(line);
      return answer.read({
        onOpen: (reader) => say({ kind: 'opened', reader }),
        onReplaced: (by) => say({ kind: 'replaced', message: `${by} types now` }),
        onBytes: (bytes) => say({ kind: 'data', data: Buffer.from(bytes).toString('base64') }),
        onEnd: (message) => {
          say({ kind: 'end', message });
          end();
        },
      });
    },
  };
}

export async function readImage(
  control: Control,
  name: PartitionName,
  image: ImageName,
): Promise<Answered> {
  return ofRefusable(await control.image(name, image), name, control, (answer) => answer.image);
}

export async function readUsage(
  control: Control,
  name: PartitionName,
  secondaries: boolean,
): Promise<Answered> {
  const sample = await control.usage(name, secondaries);
  return sample === null ? noPartition(name, control) : value(sample);
}

/** Of Prometheus's text format. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export async function readMetrics(control: Control, name: PartitionName): Promise<Answered> {
  const text = await control.metrics(name);
  return text === null ? noPartition(name, control) : { kind: 'text', type: METRICS_TYPE, text };
}

/** A line of a console's log. */
export type ConsoleLogLine =
  /** In Base64. */
  | { readonly kind: 'data'; readonly data: string }
  /** All that was kept has come; what follows is new. */
  | { readonly kind: 'now' }
  /** With what has gone wrong; null: that was all. */
  | { readonly kind: 'end'; readonly message: string | null };

export function readConsoleLog(
  control: Control,
  name: PartitionName,
  secondary: SecondaryName,
  { previous = false, follow = false }: z.output<typeof consoleLogQuery>,
): Answered {
  const answer = control.consoleLog(name, secondary, { previous, follow });
  if (answer === null) return noPartition(name, control);
  if (answer.status === 'refused') return problem(conflictProblem(answer.code, answer.message));
  return {
    kind: 'lines',
    source: (send, end) => {
      const say = (line: ConsoleLogLine) => send(line);
      return answer.read({
        onBytes: (bytes) => say({ kind: 'data', data: Buffer.from(bytes).toString('base64') }),
        onNow: () => say({ kind: 'now' }),
        onEnd: (message) => {
          say({ kind: 'end', message });
          end();
        },
      });
    },
  };
}

export function readHistory(control: Control, name: PartitionName): Answered {
  const items = control.history(name);
  return items === null ? noPartition(name, control) : value({ items });
}

/**
 * Those that are kept and, with `watch`, those that come; none is left out in between. Those of the host
 * as a whole are for its operators.
 */
export function readEvents(
  control: Control,
  query: z.output<typeof eventsQuery>,
  { kind }: Scope,
): Answered {
  const { after, watch = false, partition } = query;
  if (partition !== undefined && control.status(partition) === null) {
    return noPartition(partition, control);
  }
  if (typeof after === 'number') {
    const gone = whatIsGone(control.eventsKept(partition ?? null), after);
    if (gone !== null) return problem(apiProblem('EventsGone', gone));
  }
  const wanted = ({ event }: EventRecord) =>
    'partition' in event
      ? partition === undefined || event.partition === partition
      : kind === 'operator';
  return {
    kind: 'lines',
    source: (send, end) => {
      const stop = control.onEvent((record) => {
        if (watch && wanted(record)) send(record);
      });
      const kept = after === 'latest' ? [] : control.events(after ?? 0);
      for (const record of kept.filter(wanted)) send(record);
      if (!watch) end();
      return stop;
    },
  };
}

/** Somebody who goes on from an event must not believe that nothing has happened since. */
function whatIsGone({ lostThrough, newest }: EventsKept, after: number): string | null {
  if (after < lostThrough) {
    return `of the events up to ${lostThrough} not all are kept any more; begin without "after"`;
  }
  if (after <= newest) return null;
  return `the newest event is ${newest}: unnestd was started anew since; begin without "after"`;
}
