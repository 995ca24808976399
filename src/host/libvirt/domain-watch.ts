/**
 * Signs that a domain has changed, from libvirt's pushed events. One subscription, made when it is
 * first needed, serves every watch of a connection and ends with it.
 */
import type { EventOf, ReadOnlyConnection } from '../../libvirt/index.ts';
import type { DomainRef } from '../../model/domain.ts';
import type { DomainWatch } from '../ports.ts';
import { calling } from './host-error-from.ts';

type Sign = EventOf<'lifecycle' | 'balloon-change' | 'agent-lifecycle'>;

export function domainWatches(
  connection: ReadOnlyConnection,
): (ref: DomainRef) => Promise<DomainWatch> {
  const listeners = new Set<(event: Sign) => void>();
  let subscribed: Promise<unknown> | undefined;
  const subscribe = () =>
    calling('listening for events of domains', () =>
      connection.subscribe(['lifecycle', 'balloon-change', 'agent-lifecycle'], (event) => {
        for (const listener of listeners) listener(event);
      }),
    );
  return async ({ uuid }) => {
    subscribed ??= subscribe().catch((error: unknown) => {
      // The next one asks again: a daemon's connection outlives a failure.
      subscribed = undefined;
      throw error;
    });
    await subscribed;
    let signs = 0;
    let wake: (() => void) | undefined;
    const listener = ({ domain }: Sign) => {
      if (domain.uuid !== uuid) return;
      signs += 1;
      wake?.();
    };
    listeners.add(listener);
    return {
      next: async (timeoutMs, signal) => {
        if (signs === 0) {
          await sleep(timeoutMs, signal, (wakeUp) => {
            wake = wakeUp;
          });
        }
        signs = 0;
      },
      close: () => void listeners.delete(listener),
    };
  };
}

/** Resolves after a time, when the signal fires, or when what `offer` was given is called. */
function sleep(
  timeoutMs: number,
  signal: AbortSignal,
  offer: (wakeUp: () => void) => void,
): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) return done();
    const finish = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      done();
    };
    const timer = setTimeout(finish, timeoutMs);
    signal.addEventListener('abort', finish);
    offer(finish);
  });
}
