import type { CallOptions } from './call-options.ts';
import type { Procedure } from './procedure.ts';
import type { RpcStream, StreamDirection } from './rpc-stream.ts';

/** What the groups of methods need of a connection. */
export interface Caller {
  readonly call: <A, R>(procedure: Procedure<A, R>, args: A, options?: CallOptions) => Promise<R>;
  readonly openStream: <A>(
    procedure: Procedure<A, void>,
    args: A,
    direction: StreamDirection,
    options?: CallOptions,
  ) => Promise<RpcStream>;
}
