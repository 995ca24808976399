/**
 * Being the agent of this Primary: connected for as long as possible, and again with growing waits. Who
 * is second is told so, and waits for the first to go. What the host says of the partition meanwhile
 * is passed on.
 */
import type { Runtime } from '../../daemon/runtime.ts';
import { explainError } from '../../host/host-error.ts';
import type { PartitionName } from '../../model/names.ts';
import type { PartitionStatus } from '../../report/partition-status.ts';
import type { DaemonClient } from '../client.ts';
import { DaemonError } from '../daemon-error.ts';
import { channelLimits } from '../limits.ts';
import type { EmitAgent } from './agent-event.ts';

export interface StayOptions {
  readonly client: Pick<DaemonClient, 'answerBeat' | 'beAgent' | 'statuses'>;
  readonly runtime: Pick<Runtime, 'timers' | 'random'>;
  readonly emit: EmitAgent;
  readonly onConnected: (partition: PartitionName) => void;
  readonly onDisconnected: (message: string) => void;
  readonly onStatus: (status: PartitionStatus) => void;
}

const againMsMin = 500;
const againMsMax = 30_000;
const statusAgainMs = 5000;
/** Two beats that did not come, and a little. */
const silenceMsMax = 2.5 * channelLimits.agentBeatMs;

/** Resolves when the signal fires. */
export async function stayConnected(options: StayOptions, signal: AbortSignal): Promise<void> {
  const { runtime, emit, onDisconnected } = options;
  let waitMs = againMsMin;
  let said = '';
  while (!signal.aborted) {
    const connection = new AbortController();
    const until = AbortSignal.any([signal, connection.signal]);
    const hear = () => {
      waitMs = againMsMin;
      said = '';
    };
    const why = await connected(options, until, hear).finally(() => connection.abort());
    if (signal.aborted) return;
    const message = explainError(why);
    const code = why instanceof DaemonError ? why.code : 'Broken';
    if (message !== said) emit({ kind: 'disconnected', code, message });
    said = message;
    onDisconnected(message);
    // As many agents as come back together after a restart of the host must not come at one moment.
    await runtime.timers.sleep(waitMs * (0.5 + runtime.random()), signal);
    waitMs = Math.min(againMsMax, waitMs * 2);
  }
}

/** @returns why it is over */
async function connected(
  options: StayOptions,
  signal: AbortSignal,
  onHeard: () => void,
): Promise<unknown> {
  const { client, runtime, emit, onConnected } = options;
  const silent = new AbortController();
  const until = AbortSignal.any([signal, silent.signal]);
  let stopSilence: () => void = () => undefined;
  const listen = () => {
    stopSilence();
    stopSilence = runtime.timers.after(silenceMsMax, () => silent.abort());
  };
  try {
    listen();
    for await (const line of await client.beAgent(until)) {
      listen();
      if (line.kind === 'elsewhere') return new DaemonError('AgentElsewhere', line.message);
      if (line.kind === 'beat') void answer(client, until);
      if (line.kind !== 'attached') continue;
      onHeard();
      emit({ kind: 'connected', partition: line.partition });
      onConnected(line.partition);
      void passOn(options, line.partition, until);
    }
    return new DaemonError(
      'Broken',
      silent.signal.aborted ? 'the host is silent' : 'the host has ended the connection',
    );
  } catch (error) {
    return error;
  } finally {
    stopSilence();
    silent.abort();
  }
}

/** One that is not heard is followed by the next. */
async function answer(client: StayOptions['client'], signal: AbortSignal): Promise<void> {
  await client.answerBeat(signal).catch(() => undefined);
}

/** The stay ends with the connection; that this ends first is no reason to end it. */
async function passOn(
  { client, onStatus, runtime }: StayOptions,
  partition: PartitionName,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      for await (const status of await client.statuses(partition, signal)) onStatus(status);
    } catch {
      // Such as that there is no room just now: what was said last stays said until then.
    }
    await runtime.timers.sleep(statusAgainMs, signal);
  }
}
