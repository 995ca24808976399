/** For connections that there is no room for. */
import type { Duplex } from 'node:stream';
import type { Timers } from '../daemon/runtime.ts';
import { channelLimits } from './limits.ts';
import { PROBLEM_TYPE, refusalProblem } from './problem.ts';

/** Without reading what it asks: a short answer fits into any socket's buffer. */
export function turnAway(stream: Duplex, timers: Timers, detail: string): void {
  const body = JSON.stringify(refusalProblem('TooBusy', detail));
  const head = [
    'HTTP/1.1 503 Service Unavailable',
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  const stop = timers.after(channelLimits.closeMs, () => stream.destroy());
  stream.once('close', stop);
  stream.resume();
  stream.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => stream.destroy());
}
