/** Workers that do what a test says, and what became of them. */
import { answerTo } from '../../../../src/daemon/worker/answer-to.ts';
import { FrameReader } from '../../../../src/daemon/worker/frames.ts';
import { type ParseRequest, requestBytesMax } from '../../../../src/daemon/worker/protocol.ts';
import type { SpawnWorker, WorkerEnd } from '../../../../src/daemon/worker-process.ts';

export interface FakeProcess {
  readonly partition: string;
  /** Where it was started; null: in none. */
  readonly slice: string | null;
  readonly isAlive: boolean;
  write(bytes: Uint8Array): void;
  end(end?: WorkerEnd): void;
}

export type Behaviour = (request: ParseRequest, self: FakeProcess) => void;

export const honest: Behaviour = (request, self) => self.write(answerTo(request));
export const hanging: Behaviour = () => undefined;
export const dying: Behaviour = (_request, self) =>
  self.end({ kind: 'ended', how: 'by SIGKILL', complaint: 'out of\n\u001b[31mmemory' });

export interface FakeWorkers {
  readonly spawn: SpawnWorker;
  /** Whose worker was started, in order. */
  readonly started: readonly string[];
  readonly alive: readonly string[];
  /** Of every process that there was, the last one first. */
  readonly last: FakeProcess;
  readonly aliveMost: number;
  /** From now on. */
  behave(next: Behaviour): void;
}

/** @param options.immortal a kill does nothing */
export function fakeWorkers(
  behaviour: Behaviour = honest,
  options: { immortal?: boolean; missing?: boolean } = {},
): FakeWorkers {
  let behave = behaviour;
  const processes: FakeProcess[] = [];
  let aliveMost = 0;
  const alive = () => processes.filter((each) => each.isAlive);
  const spawn: SpawnWorker = (partition, place, { onData, onEnd }) => {
    const reader = new FrameReader(requestBytesMax);
    let isAlive = true;
    const self: FakeProcess = {
      partition,
      slice: place?.path ?? null,
      get isAlive() {
        return isAlive;
      },
      write: (bytes) => {
        if (isAlive) onData(bytes);
      },
      end: (end = { kind: 'ended', how: 'with exit code 0', complaint: '' }) => {
        if (!isAlive) return;
        isAlive = false;
        onEnd(end);
      },
    };
    processes.push(self);
    aliveMost = Math.max(aliveMost, alive().length);
    const missing: WorkerEnd = { kind: 'not-started', message: 'apt-get install bubblewrap' };
    if (options.missing === true) queueMicrotask(() => self.end(missing));
    return {
      send: (bytes) => {
        for (const frame of reader.take(bytes) ?? []) {
          const request = JSON.parse(Buffer.from(frame).toString()) as ParseRequest;
          // As a process would: not before the one who asked goes on.
          setImmediate(() => isAlive && behave(request, self));
        }
      },
      kill: () => {
        if (options.immortal !== true) setImmediate(() => self.end());
      },
    };
  };
  return {
    spawn,
    get started() {
      return processes.map(({ partition }) => partition);
    },
    get alive() {
      return alive().map(({ partition }) => partition);
    },
    get last() {
      const last = processes.at(-1);
      if (last === undefined) throw new Error('no worker was started');
      return last;
    },
    get aliveMost() {
      return aliveMost;
    },
    behave: (next) => void (behave = next),
  };
}
