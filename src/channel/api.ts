/** The operator's API, on a Unix socket whose mode says who may connect. */
import type { Address, Listening, PeerCredentials, Runtime } from '../daemon/runtime.ts';
import { makeApiServer } from './api-server.ts';
import type { Asker } from './connections.ts';
import type { Control } from './control.ts';
import { operatorLimits } from './limits.ts';
import { operatorScope } from './scope.ts';

export interface ApiOptions {
  /** Never a loopback address: on one nobody can be told from another. */
  readonly address: Extract<Address, { readonly kind: 'unix' }>;
  /** Of a bug, which the asker learns only as `Internal`. */
  readonly onBug: (error: unknown) => void;
}

/** @returns how to close it: streams end, answers under way are given, nothing more is taken */
export async function openApi(
  control: Control,
  runtime: Runtime,
  { address, onBug }: ApiOptions,
): Promise<Listening> {
  const api = await makeApiServer({
    control,
    runtime,
    scope: operatorScope,
    limits: operatorLimits,
    onBug,
  });
  const listening = await runtime.sockets.listen(address, (stream, peer) =>
    api.take(stream, askerOf(peer)),
  );
  return {
    close: async () => {
      await listening.close();
      await api.close();
    },
  };
}

function askerOf(peer: PeerCredentials | null): Asker {
  if (peer === null) return { words: 'unknown uid', party: 'one user' };
  return { words: `uid ${peer.uid}, pid ${peer.pid}`, party: `uid ${peer.uid}` };
}
