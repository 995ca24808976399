/** The client of the API: what `unnest` asks of `unnestd`, on the host or in a Primary. */
import type * as z from 'zod';
import type { PlainDocument } from '../documents/plain-document.ts';
import type { ImageName, PartitionName, SecondaryName } from '../model/names.ts';
import type { AuditEntry } from '../report/audit.ts';
import type { EventRecord } from '../report/event.ts';
import type { PartitionStatus } from '../report/partition-status.ts';
import type { AcceptedBundle, HistoryEntry } from '../report/submission.ts';
import type { UsageSample } from '../report/usage-sample.ts';
import type { AgentLine } from './api-agent.ts';
import type { ConsoleLine, ConsoleLogLine } from './api-reads.ts';
import * as answers from './client-answers.ts';
import { type Again, askAgain, askWhileBusy } from './client-again.ts';
import { type ClientPlaces, clientPlaces } from './client-places.ts';
import type { Transport, Wish } from './client-transport.ts';
import { type Asking, askingOver, versionWish } from './client-versions.ts';
import type { ConsoleLogWish, ConsoleWish, ImageState, PowerAction } from './control.ts';
import type { EventsQuery, PauseMessage, PlanMessage, SubmissionMessage } from './messages.ts';

/** Each rejects with a `DaemonError` and nothing else; `Cancelled` when the signal fires. */
export interface DaemonClient {
  /** Where it asks, for messages. */
  readonly name: string;
  /** Which version answers, and which host and state directory it has. */
  about(signal: AbortSignal): Promise<answers.About>;
  /** The partition of the Primary that asks, asked for once; null: an operator does. */
  own(signal: AbortSignal): Promise<PartitionName | null>;
  partitions(signal: AbortSignal): Promise<answers.Partitions>;
  status(name: PartitionName, signal: AbortSignal): Promise<PartitionStatus>;
  /** One at once, then one at every change. Ends when the signal fires, or the daemon ends it. */
  statuses(name: PartitionName, signal: AbortSignal): Promise<AsyncIterable<PartitionStatus>>;
  events(query: EventsQuery, signal: AbortSignal): Promise<AsyncIterable<EventRecord>>;
  desired(name: PartitionName, signal: AbortSignal): Promise<AcceptedBundle>;
  /** The operator's description of the partition. */
  description(name: PartitionName, signal: AbortSignal): Promise<PlainDocument>;
  /** What it uses just now. @param secondaries also each that runs */
  usage(name: PartitionName, secondaries: boolean, signal: AbortSignal): Promise<UsageSample>;
  history(name: PartitionName, signal: AbortSignal): Promise<readonly HistoryEntry[]>;
  /** Operators only. @param partition null: of all */
  audit(
    query: { readonly partition: PartitionName | null; readonly last: number },
    signal: AbortSignal,
  ): Promise<readonly AuditEntry[]>;
  /** What a running Secondary writes to its serial console. Throws when that ends for a reason. */
  console(
    name: PartitionName,
    secondary: SecondaryName,
    signal: AbortSignal,
  ): Promise<AsyncIterable<ConsoleLine>>;
  /** What it has written there before, as far as it is kept. */
  consoleLog(
    name: PartitionName,
    secondary: SecondaryName,
    wish: ConsoleLogWish,
    signal: AbortSignal,
  ): Promise<AsyncIterable<ConsoleLogLine>>;
  /** As a reader of that console. @returns what the daemon says about it, for people */
  claimConsole(
    name: PartitionName,
    secondary: SecondaryName,
    wish: ConsoleWish,
    signal: AbortSignal,
  ): Promise<string>;
  /** Resolves when it is on its way to the guest. @param bytes at most `typedBytesMax` */
  typeOnConsole(
    name: PartitionName,
    secondary: SecondaryName,
    typed: { readonly reader: string; readonly bytes: Uint8Array },
    signal: AbortSignal,
  ): Promise<string>;
  /** As the agent of this Primary, until the signal fires. Rejects with `AgentElsewhere` if there is one. */
  beAgent(signal: AbortSignal): Promise<AsyncIterable<AgentLine>>;
  /** To each beat of that. */
  answerBeat(signal: AbortSignal): Promise<string>;
  submit(
    name: PartitionName,
    submission: SubmissionMessage,
    signal: AbortSignal,
  ): Promise<answers.Accepted>;
  /** What submitting these would do; changes nothing. */
  plan(name: PartitionName, files: PlanMessage, signal: AbortSignal): Promise<answers.Planned>;
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
  image(name: PartitionName, image: ImageName, signal: AbortSignal): Promise<ImageState>;
  /** @param atByte how many have come before; 0: it begins anew. @returns how many have come by then */
  upload(
    name: PartitionName,
    image: ImageName,
    atByte: number,
    bytes: Uint8Array,
    signal: AbortSignal,
  ): Promise<number>;
  /** All of it is on the disk that was lent for it. Of a daemon that is busy it is asked for a minute. */
  imageWritten(name: PartitionName, image: ImageName, signal: AbortSignal): Promise<string>;
  retry(name: PartitionName, signal: AbortSignal): Promise<string>;
  drain(name: PartitionName, signal: AbortSignal): Promise<string>;
}

export interface ClientOptions {
  /** Null: no order is given a second time. */
  readonly again?: Again | null;
  /** Of the program that asks; null: it is not told whose version is older. */
  readonly version?: string | null;
}

/** Connects to nothing yet. Whether an operator asks or a Primary, is found out with the first request. */
export function daemonClient(transport: Transport, options: ClientOptions = {}): DaemonClient {
  const { again = null, version = null } = options;
  const asking = askingOver(transport, version);
  const get = <T>(path: string, schema: z.ZodType<T>, signal: AbortSignal) =>
    asking.one({ method: 'GET', path }, schema, signal);
  const lines = <T>(path: string, schema: z.ZodType<T>, signal: AbortSignal) =>
    asking.lines({ method: 'GET', path }, schema, signal);
  const about = (signal: AbortSignal) => asking.one(versionWish, answers.versionAnswer, signal);
  const places = clientPlaces(about);
  const ofPartition = async <T>(
    name: PartitionName,
    path: string,
    schema: z.ZodType<T>,
    signal: AbortSignal,
  ) => get(`${await places.of(name, signal)}${path}`, schema, signal);
  return {
    name: transport.name,
    about,
    own: (signal) => places.own(signal),
    partitions: async (signal) => {
      const partition = await places.own(signal);
      if (partition === null) return get('/v1/partitions', answers.partitionsAnswer, signal);
      const status = await ofPartition(partition, '', answers.statusAnswer, signal);
      return answers.partitionsAnswer.parse({ items: [status] });
    },
    status: (name, signal) => ofPartition(name, '', answers.statusAnswer, signal),
    statuses: async (name, signal) =>
      lines(`${await places.of(name, signal)}/status?watch=1`, answers.statusAnswer, signal),
    events: async (query, signal) =>
      lines(await places.events(query, signal), answers.eventAnswer, signal),
    desired: (name, signal) => ofPartition(name, '/desired', answers.bundleAnswer, signal),
    description: (name, signal) =>
      ofPartition(name, '/description', answers.descriptionAnswer, signal),
    image: (name, image, signal) =>
      ofPartition(name, `/images/${image}`, answers.imageAnswer, signal),
    usage: (name, secondaries, signal) => {
      const path = `/usage${secondaries ? '?secondaries=1' : ''}`;
      return ofPartition(name, path, answers.usageAnswer, signal);
    },
    history: async (name, signal) =>
      (await ofPartition(name, '/history', answers.historyAnswer, signal)).items,
    audit: async ({ partition, last }, signal) => {
      const of = partition === null ? '' : `&partition=${partition}`;
      return (await get(`/v1/audit?last=${last}${of}`, answers.auditAnswer, signal)).items;
    },
    console: async (name, secondary, signal) => {
      const path = `${await places.of(name, signal)}/secondaries/${secondary}/console`;
      return lines(path, answers.consoleAnswer, signal);
    },
    consoleLog: async (name, secondary, { previous, follow }, signal) => {
      const query = `previous=${previous ? 1 : 0}&follow=${follow ? 1 : 0}`;
      const path = `${await places.of(name, signal)}/secondaries/${secondary}/log?${query}`;
      return lines(path, answers.consoleLogAnswer, signal);
    },
    beAgent: async (signal) => {
      const path = `${answers.primaryAt}/agent`;
      return lines(path, answers.agentAnswer, signal);
    },
    answerBeat: async (signal) => {
      const wish = { method: 'POST', path: `${answers.primaryAt}/agent/beat`, body: {} } as const;
      return (await asking.one(wish, answers.orderAnswer, signal)).message;
    },
    ...ordersOver(asking, places, again),
  };
}

type Orders = Pick<
  DaemonClient,
  | 'submit'
  | 'plan'
  | 'rollback'
  | 'pause'
  | 'resume'
  | 'power'
  | 'upload'
  | 'imageWritten'
  | 'retry'
  | 'drain'
  | 'claimConsole'
  | 'typeOnConsole'
>;

function ordersOver(asked: Asking, places: ClientPlaces, again: Again | null): Orders {
  const asking = async <T>(
    [method, name, path]: readonly ['PUT' | 'POST', PartitionName, string],
    body: object,
    schema: z.ZodType<T>,
    signal: AbortSignal,
  ) => {
    const wish: Wish = { method, path: `${await places.of(name, signal)}${path}`, body };
    return asked.one(wish, schema, signal);
  };
  const submission = answers.submissionAnswer;
  const order = async (name: PartitionName, path: string, body: object, signal: AbortSignal) =>
    (await asking(['POST', name, path], body, answers.orderAnswer, signal)).message;
  return {
    submit: (name, body, signal) => asking(['PUT', name, '/desired'], body, submission, signal),
    plan: (name, body, signal) => asking(['POST', name, '/plan'], body, answers.planAnswer, signal),
    rollback: (name, generation, signal) =>
      asking(['POST', name, '/rollback'], { generation }, submission, signal),
    pause: (name, pause, signal) => order(name, '/pause', pause, signal),
    resume: (name, secondary, signal) => order(name, '/resume', { secondary }, signal),
    power: async (name, secondary, action, signal) => {
      const path = `/secondaries/${secondary}/${action}`;
      const isOnce = again !== null && (await places.can('idempotency-key', signal));
      if (!isOnce) return order(name, path, {}, signal);
      const at = `${await places.of(name, signal)}${path}`;
      const wish = { method: 'POST', path: at, body: {} } as const;
      return (await askAgain(asked, wish, answers.orderAnswer, again, signal)).message;
    },
    upload: async (name, image, atByte, bytes, signal) => {
      const path = `/images/${image}/bytes?at=${atByte}`;
      const { receivedBytes } = await asking(
        ['PUT', name, path],
        bytes,
        answers.uploadAnswer,
        signal,
      );
      return receivedBytes;
    },
    imageWritten: async (name, image, signal) => {
      const path = `/images/${image}/written`;
      if (again === null) return order(name, path, {}, signal);
      const at = `${await places.of(name, signal)}${path}`;
      const wish = { method: 'POST', path: at, body: {} } as const;
      return (await askWhileBusy(asked, wish, answers.orderAnswer, again, signal)).message;
    },
    retry: (name, signal) => order(name, '/retry', {}, signal),
    claimConsole: (name, secondary, wish, signal) =>
      order(name, `/secondaries/${secondary}/console/writer`, wish, signal),
    typeOnConsole: (name, secondary, { reader, bytes }, signal) => {
      const body = { reader, data: Buffer.from(bytes).toString('base64') };
      return order(name, `/secondaries/${secondary}/console/input`, body, signal);
    },
    drain: (name, signal) => order(name, '/drain', { confirm: name }, signal),
  };
}
