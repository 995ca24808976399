import { readAnswer } from './answer.ts';
import { givenUpError, type TimedCallOptions, watchCall } from './call-options.ts';
import type { Call, FailureOf } from './call-slots.ts';
import type { Procedure } from './procedure.ts';
import type { Timers } from './timers.ts';
import { encodePacket, type PacketHeader, programs } from './wire/packet.ts';

/** Why a caller no longer waits, and the error that it gets. */
export type GiveUp = (call: Call, reason: 'timeout' | 'aborted', failure: FailureOf) => void;

/**
 * A call on its way: encoded, watched by its time limit and signal, and tied to `settle`.
 * Throws `RangeError` for arguments that cannot be sent, and the error of a signal that has
 * fired already.
 */
export function pendingCall<A, R>(
  serial: number,
  procedure: Procedure<A, R>,
  args: A,
  options: TimedCallOptions,
  timers: Timers,
  giveUp: GiveUp,
  settle: { readonly resolve: (result: R) => void; readonly reject: (error: Error) => void },
): Call {
  const { name } = procedure;
  if (options.signal?.aborted === true) throw givenUpError('aborted', name, options, false);
  const packet = encodePacket(callHeader(procedure.number, serial), procedure.args, args);
  const unwatch = watchCall(options, timers, (reason) =>
    giveUp(call, reason, (mayHaveRun) => givenUpError(reason, name, options, mayHaveRun)),
  );
  const call: Call = {
    serial,
    packet,
    answer(header, answerPacket) {
      const answer = readAnswer(procedure, header, answerPacket);
      unwatch();
      if (answer.kind === 'result') settle.resolve(answer.result);
      else settle.reject(answer.error);
    },
    fail(error) {
      unwatch();
      settle.reject(error);
    },
  };
  return call;
}

function callHeader(procedure: number, serial: number): PacketHeader {
  return { program: programs.remote, procedure, kind: 'call', serial, status: 'ok' };
}
