/** Starts real workers, in bubblewrap. Where that is missing there are none: nothing replaces it. */
import type { ChildProcess } from 'node:child_process';
import { isSandboxComplaint } from '../../host/sandbox/programs.ts';
import { endSandboxed, letBegin } from '../../host/sandbox/start.ts';
import type { WorkerPlace } from '../../host/worker-places.ts';
import type { SpawnWorker, WorkerEnd, WorkerListener, WorkerProcess } from '../worker-process.ts';
import { workerTask } from './sandbox.ts';
import { messageOf, type ProgramInstallation, type Started, startNode } from './sandboxed-node.ts';

/** @returns a port whose workers are all alike, wherever they run */
export function workerSpawner(installation: ProgramInstallation): SpawnWorker {
  return (_partition, place, listener) => {
    const started = startNode(installation, workerTask, place);
    if ('problem' in started) return notThere(started.problem, listener);
    return follow(started, place, listener);
  };
}

/** As if it had been started and had ended. */
function notThere(message: string, { onEnd }: WorkerListener): WorkerProcess {
  queueMicrotask(() => onEnd({ kind: 'not-started', message }));
  return { send: () => undefined, kill: () => undefined };
}

/** Of what it wrote to standard error; one that writes more is ended, whatever it has to say. */
const complaintBytesMax = 2000;

function follow(
  { child, filter }: Started,
  place: WorkerPlace | null,
  { onData, onEnd }: WorkerListener,
): WorkerProcess {
  let complaint = '';
  child.stdout?.on('data', onData);
  child.stderr?.on('data', (chunk: Buffer) => {
    const all = complaint + chunk.subarray(0, complaintBytesMax + 1).toString('latin1');
    complaint = all.slice(0, complaintBytesMax);
    if (all.length > complaintBytesMax) endSandboxed(child);
  });
  // Of a worker that has ended; its end says more.
  child.stdin?.on('error', () => undefined);
  child.on('error', (error) => {
    // Nothing was started, so nothing will be closed.
    if (child.pid !== undefined) return;
    onEnd({ kind: 'not-started', message: `the worker could not be started: ${messageOf(error)}` });
  });
  const over = new AbortController();
  const placed = placing(child, place, filter, over.signal);
  const tellEnd = async (facts: Pick<Facts, 'how' | 'wasKilled'>) => {
    const problem = await placed;
    await place?.left();
    onEnd(endOf({ ...facts, complaint, problem }));
  };
  child.once('close', (code, signal) => {
    if (child.pid === undefined) return;
    over.abort();
    const wasKilled = code === null;
    void tellEnd({ wasKilled, how: wasKilled ? `by ${signal}` : `with exit code ${code}` });
  });
  return {
    send: (bytes) => child.stdin?.write(bytes),
    kill: () => endSandboxed(child),
  };
}

/** @returns what kept it from being where it should be, so that it was ended; null: nothing did */
async function placing(
  child: ChildProcess,
  place: WorkerPlace | null,
  filter: Uint8Array,
  over: AbortSignal,
): Promise<string | null> {
  try {
    await letBegin(child, place, filter, over);
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

interface Facts {
  readonly how: string;
  readonly complaint: string;
  /** What kept it from being where it should be; null: nothing did. */
  readonly problem: string | null;
  /** Whether a signal has ended it, such as ours, so that its complaints are about that. */
  readonly wasKilled: boolean;
}

/** The programs around the worker say so when they cannot make the sandbox. */
function endOf({ how, complaint, problem, wasKilled }: Facts): WorkerEnd {
  if (problem !== null && wasKilled) return { kind: 'not-placed', message: problem };
  if (isSandboxComplaint(complaint)) {
    return { kind: 'not-started', message: `the sandbox cannot be made: ${complaint}` };
  }
  if (problem === null) return { kind: 'ended', how, complaint };
  const words = complaint === '' ? problem : `${problem}: ${complaint}`;
  return { kind: 'not-placed', message: words };
}
