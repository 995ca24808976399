/**
 * An agent's stay: a stream that is open for as long as it keeps the partition up to date. That it is
 * open says so on both sides; a beat now and then, which the agent answers, that somebody still reads it. One
 * that hangs has a socket, whose buffers hold beats of days, and must not keep its place from another.
 */
import type { Timers } from '../daemon/runtime.ts';
import type { PartitionName } from '../model/names.ts';
import { type Answered, noPartition, problem, value } from './answered.ts';
import type { Control } from './control.ts';
import { channelLimits } from './limits.ts';
import { apiProblem } from './problem.ts';

/** A line of that stream. `elsewhere`: another one was faster, and the stream ends. */
export type AgentLine =
  | { readonly kind: 'attached'; readonly partition: PartitionName }
  | { readonly kind: 'beat' }
  | { readonly kind: 'elsewhere'; readonly message: string };

/** Beats that may stay without an answer. */
const unansweredMax = 3;

export class AgentStays {
  readonly #control: Control;
  readonly #timers: Timers;
  /** Of the agent that is attached here. */
  #unanswered = 0;
  #isHere = false;

  constructor(control: Control, timers: Timers) {
    this.#control = control;
    this.#timers = timers;
  }

  begin(partition: PartitionName, who: string): Answered {
    const control = this.#control;
    if (control.status(partition) === null) return noPartition(partition, control);
    const other = control.agent(partition);
    if (other !== null) return problem(apiProblem('AgentElsewhere', elsewhere(other)));
    return {
      kind: 'lines',
      source: (send, end) => this.#stay(partition, who, (line) => send(line), end),
    };
  }

  /** The agent's answer to a beat. */
  answered(): Answered {
    if (!this.#isHere) return problem(apiProblem('AgentElsewhere', 'no agent is attached here'));
    this.#unanswered = 0;
    return value({ status: 'ok', message: 'heard' });
  }

  #stay(
    partition: PartitionName,
    who: string,
    say: (line: AgentLine) => void,
    end: () => void,
  ): () => void {
    const detach = this.#control.attachAgent(partition, who);
    if (detach === null) {
      const other = this.#control.agent(partition);
      const message = other === null ? 'the partition is not open yet' : elsewhere(other);
      say({ kind: 'elsewhere', message });
      end();
      return () => undefined;
    }
    this.#isHere = true;
    this.#unanswered = 0;
    say({ kind: 'attached', partition });
    const stopBeats = every(this.#timers, channelLimits.agentBeatMs, () => {
      if (this.#unanswered >= unansweredMax) return end();
      this.#unanswered += 1;
      say({ kind: 'beat' });
    });
    return () => {
      stopBeats();
      this.#isHere = false;
      detach();
    };
  }
}

const elsewhere = (other: string) => `another agent keeps this partition up to date: ${other}`;

function every(timers: Timers, ms: number, act: () => void): () => void {
  let stop = () => {};
  const next = () => {
    stop = timers.after(ms, () => {
      next();
      act();
    });
  };
  next();
  return () => stop();
}
