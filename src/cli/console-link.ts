/**
 * A console that is open: what the guest writes, and how to type there. Through unnestd one reader types at
 * a time, and is told when another does; a host that is gone to directly gives a console to one alone.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConsoleLine } from '../channel/api-reads.ts';
import type { DaemonClient } from '../channel/client.ts';
import { DaemonError } from '../channel/daemon-error.ts';
import { channelLimits } from '../channel/limits.ts';
import { HostError } from '../host/host-error.ts';
import type { Host } from '../host/ports.ts';
import type { DomainRef } from '../model/domain.ts';
import type { PartitionName, SecondaryName } from '../model/names.ts';
import { CommandError } from './command-error.ts';
import { exitCodes } from './exit-codes.ts';

export interface ConsoleLink {
  /** Ends when the guest does, and when the signal fires. */
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Resolves when it is on its way. @param bytes at most `pieceBytesMax` */
  type(bytes: Uint8Array): Promise<void>;
}

export interface Typing {
  /** Whether another one is to lose it. */
  readonly force: boolean;
  readonly onReady: () => void;
  /** It only reads, from the beginning or from now on. @param why for people */
  readonly onReadOnly: (why: string) => void;
}

export const pieceBytesMax = channelLimits.typedBytesMax;

export interface ConsoleOf {
  readonly partition: PartitionName;
  readonly secondary: SecondaryName;
}

/** @param typing null: it is only read */
export async function linkThrough(
  client: DaemonClient,
  { partition, secondary }: ConsoleOf,
  typing: Typing | null,
  signal: AbortSignal,
): Promise<ConsoleLink> {
  let reader: string | null = null;
  let decide = (): void => undefined;
  /** Keys that come before it is known whether they may wait for that. */
  const decided = new Promise<void>((done) => (decide = done));
  const claim = async (as: string, { force, onReady, onReadOnly }: Typing) => {
    try {
      await client.claimConsole(partition, secondary, { reader: as, force }, signal);
      reader = as;
      onReady();
    } catch (error) {
      if (error instanceof DaemonError && error.code !== 'Cancelled') onReadOnly(error.message);
    }
    decide();
  };
  const lines = await client.console(partition, secondary, signal);
  return {
    bytes: bytesIn(secondary, lines, {
      onOpened: (as) => {
        if (typing !== null) void claim(as, typing);
      },
      onReplaced: (why) => {
        reader = null;
        typing?.onReadOnly(why);
      },
      onOld: () => {
        typing?.onReadOnly('the unnestd of this host is of before there was typing');
        decide();
      },
    }),
    type: async (bytes) => {
      await decided;
      if (reader === null) return;
      await paced(() =>
        client.typeOnConsole(partition, secondary, { reader: reader ?? '', bytes }, signal),
      );
    },
  };
}

/** Twenty a second are asked for at most, however fast somebody types; what is meanwhile typed goes with the next. */
const betweenMs = 50;
const tooManyMs = 500;

async function paced(send: () => Promise<unknown>): Promise<void> {
  const wait = sleep(betweenMs);
  for (;;) {
    try {
      await send();
      await wait;
      return;
    } catch (error) {
      // It was not done, so that it can be asked again; others in the Primary may ask for much.
      if (!(error instanceof DaemonError) || error.code !== 'TooManyRequests') throw error;
      await sleep(tooManyMs);
    }
  }
}

interface Told {
  readonly onOpened: (reader: string) => void;
  readonly onReplaced: (why: string) => void;
  /** It does not say who reads. */
  readonly onOld: () => void;
}

async function* bytesIn(
  secondary: SecondaryName,
  lines: AsyncIterable<ConsoleLine>,
  { onOpened, onReplaced, onOld }: Told,
): AsyncGenerator<Uint8Array> {
  let isFirst = true;
  for await (const line of lines) {
    if (isFirst && line.kind === 'data') onOld();
    isFirst = false;
    switch (line.kind) {
      case 'opened':
        onOpened(line.reader);
        break;
      case 'replaced':
        onReplaced(line.message);
        break;
      case 'data':
        yield Buffer.from(line.data, 'base64');
        break;
      case 'end':
        if (line.message === null) return;
        throw new HostError('Unreachable', `reading the console of ${secondary}`, {
          cause: new Error(line.message),
        });
    }
  }
}

/** By itself, with no unnestd in between. @param typing null: it is only read */
export async function linkTo(
  ref: DomainRef,
  { domains }: Pick<Host, 'domains'>,
  typing: Typing | null,
  signal: AbortSignal,
): Promise<ConsoleLink> {
  const opening =
    typing?.force === true ? domains.takeConsole(ref, signal) : domains.console(ref, signal);
  const console = await opening.catch((cause: unknown) => {
    throw refusedConsole(ref, cause);
  });
  typing?.onReady();
  return {
    bytes: chunksOf(ref, console),
    type: (bytes) => console.type(bytes),
  };
}

function refusedConsole({ domainName }: DomainRef, cause: unknown): unknown {
  if (!(cause instanceof HostError) || cause.code !== 'Refused') return cause;
  const remedy =
    'libvirt gives a console to one at a time. unnestd shares the one it has: leave out --host. ' +
    'Is `virsh console` open? --force takes it. With serialConsole: false there is none';
  const message = `${domainName} has no console for us`;
  return new CommandError(exitCodes.partial, message, { cause, remedy });
}

/** The port promises errors of opening; what breaks an open stream is the connection's. */
async function* chunksOf(
  { domainName }: DomainRef,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (cause) {
    throw new HostError('Unreachable', `reading the console of ${domainName}`, { cause });
  }
}
