/**
 * Node in its sandbox, a program of ours, and nothing that can be written to: the worker, and what fetches
 * Images. Its memory is `dataBytesMax`, with a later Node also `codeBytesMax`, and
 * pages of files that it shares; what all of a partition's processes may take together is for its
 * slice to say.
 */
import { readOnly, type Sandbox } from '../../host/sandbox/command.ts';

export interface NodeTask {
  /** For messages, such as `the worker`. */
  readonly what: string;
  readonly heapMebibytesMax: number;
  /** In all its life. */
  readonly cpuSeconds: number;
}

/** Reading documents. */
export const workerTask: NodeTask = {
  what: 'the worker',
  /** 10 MiB of documents and their answer take some 200. */
  heapMebibytesMax: 256,
  /** It is replaced before, see `workedMsMax`. */
  cpuSeconds: 120,
};

const nodeLimits = {
  /** Heap, the rest of Node, and the bytes of request and answer: of each process. */
  dataBytesMax: 512 * 2 ** 20,
  /** What V8 of later Nodes asks for at its start and hardly uses: its whole range for code. */
  codeBytesMax: 512 * 2 ** 20,
  openFilesMax: 64,
  /** Node has eight threads at most; 20, 22 and 24 were tried. */
  tasksMax: 16,
  fileBytesMax: 0,
} as const;

export interface NodeProgram {
  readonly node: string;
  /** Its release, such as 20. */
  readonly nodeMajor: number;
}

/** Of the file descriptor that the program is copied in from, wherever it is kept. */
const programDescriptor = 3;

export function nodeSandbox(
  { node, nodeMajor }: NodeProgram,
  { heapMebibytesMax, cpuSeconds }: NodeTask,
): Sandbox {
  const { openFilesMax, tasksMax, fileBytesMax } = nodeLimits;
  const dataBytesMax = nodeLimits.dataBytesMax + codeBytes(nodeMajor);
  return {
    files: [...readOnly(node, '/node'), '--ro-bind-data', `${programDescriptor}`, '/worker.mjs'],
    limits: { cpuSeconds, dataBytesMax, openFilesMax, tasksMax, fileBytesMax },
    command: [
      '/node',
      `--max-old-space-size=${heapMebibytesMax}`,
      '--max-semi-space-size=1',
      '--v8-pool-size=1',
      '/worker.mjs',
    ],
  };
}

/** Up to 22, that range is address space until there is code in it. */
function codeBytes(nodeMajor: number): number {
  return nodeMajor <= 22 ? 0 : nodeLimits.codeBytesMax;
}
