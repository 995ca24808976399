/**
 * An agent's stay: a stream that is open for as long as it keeps the partition up to date. That it is
 * open is what says so on both sides, and a beat now and then that the other end still reads.
 */
import type { Timers } from '../daemon/runtime.ts';
import type { PartitionName } from '../model/names.ts';
import { type Answered, noPartition, problem } from './answered.ts';
import type { Control } from './control.ts';
import { channelLimits } from './limits.ts';
import { apiProblem } from './problem.ts';

/** A line of that stream. `elsewhere`: another one was faster, and the stream ends. */
export type AgentLine =
  | { readonly kind: 'attached'; readonly partition: PartitionName }
  | { readonly kind: 'beat' }
  | { readonly kind: 'elsewhere'; readonly message: string };

export interface AgentServing {
  readonly control: Control;
  readonly timers: Timers;
}

export function beAgent(
  { control, timers }: AgentServing,
  partition: PartitionName,
  who: string,
): Answered {
  if (control.status(partition) === null) return noPartition(partition, control);
  const other = control.agent(partition);
  if (other !== null) return problem(apiProblem('AgentElsewhere', elsewhere(other)));
  return {
    kind: 'lines',
    source: (send, end) => {
      const say = (line: AgentLine) => send(line);
      const detach = control.attachAgent(partition, who);
      if (detach === null) {
        say({ kind: 'elsewhere', message: elsewhere(control.agent(partition) ?? 'gone by now') });
        end();
        return () => undefined;
      }
      say({ kind: 'attached', partition });
      const stopBeats = every(timers, channelLimits.agentBeatMs, () => say({ kind: 'beat' }));
      return () => {
        stopBeats();
        detach();
      };
    },
  };
}

const elsewhere = (other: string) => `another agent keeps this partition up to date: ${other}`;

function every(timers: Timers, ms: number, act: () => void): () => void {
  let stop = () => {};
  const next = () => {
    stop = timers.after(ms, () => {
      act();
      next();
    });
  };
  next();
  return () => stop();
}
