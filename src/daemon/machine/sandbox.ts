/**
 * The command line that runs the worker where it can do no harm, for bubblewrap (bwrap(1)): no
 * network, no processes but its own, no file but itself and the libraries that Node loads, nothing
 * that can be written to, no `/proc`, no `/dev`, no `/run` and so no socket of libvirt, no system
 * call but those of `syscalls.ts`. Root becomes nobody before bubblewrap runs, so that what the kernel
 * sees outside is nobody, too. When memory runs short, workers go first.
 *
 * What must stay true: nothing in it comes from a tenant, and there is no way to run without it.
 * A worker's memory is that of one process, since the filter lets it start threads and nothing else:
 * `dataBytesMax`, with a later Node also `codeBytesMax`, and pages of files that it shares. What all of a
 * partition's processes may take together is for its slice to say: once there is one, the filter, which
 * bubblewrap waits for, is handed in only when the worker has been seen there. Rejected: RLIMIT_AS, as Node reserves
 * address space that it never uses; RLIMIT_DATA counts what can really be written to. Not done yet: a
 * user for each partition instead of nobody, whom other programs of the host may run as, too.
 */

/** Debian's `nobody` and `nogroup`. */
const nobody = 65_534;

const sandboxLimits = {
  /** V8's heap: 10 MiB of documents and their answer take some 200. */
  heapMebibytesMax: 256,
  /** Heap, the rest of Node, and the bytes of request and answer: of each process. */
  dataBytesMax: 512 * 2 ** 20,
  /** What V8 of later Nodes asks for at its start and hardly uses: its whole range for code. */
  codeBytesMax: 512 * 2 ** 20,
  /** In all its life; it is replaced before, see `workedMsMax`. */
  cpuSeconds: 120,
  openFilesMax: 64,
  /** Node has eight threads at most; 20, 22 and 24 were tried. */
  tasksMax: 16,
} as const;

export interface SandboxPrograms {
  readonly bwrap: string;
  readonly prlimit: string;
  readonly choom: string;
  /** Null: this is not root, and bubblewrap alone has to do. */
  readonly setpriv: string | null;
  readonly node: string;
  /** Its release, such as 20. */
  readonly nodeMajor: number;
}

/** Of the file descriptor that the worker's program is copied in from, wherever it is kept. */
const programDescriptor = 3;
/** Of the one that the filter of system calls comes through. */
export const filterDescriptor = 4;
/** The highest that there is. */
const oomScore = 1000;

/** The first is the program to run. @param launcher what is to run all of it, if anything is */
export function sandboxCommand(
  programs: SandboxPrograms,
  launcher: readonly string[] = [],
): readonly string[] {
  const { choom, setpriv, bwrap } = programs;
  const first = [...launcher, choom, `--adjust=${oomScore}`, '--'];
  const inside = [...bwrapArguments(programs), '--', ...limited(programs)];
  if (setpriv === null) return [...first, bwrap, ...inside];
  const drop = [`--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups'];
  return [...first, setpriv, ...drop, bwrap, ...inside];
}

function bwrapArguments({ node, prlimit }: SandboxPrograms): readonly string[] {
  const alone = ['--unshare-all', '--unshare-user', '--disable-userns', '--cap-drop', 'ALL'];
  const apart = ['--die-with-parent', '--new-session', '--clearenv'];
  const owner = ['--uid', `${nobody}`, '--gid', `${nobody}`];
  const files = [
    ...libraries.flatMap((folder) => ['--ro-bind-try', folder, folder]),
    ...readOnly(node, '/node'),
    ...readOnly(prlimit, '/prlimit'),
  ];
  const program = ['--ro-bind-data', `${programDescriptor}`, '/worker.mjs'];
  const filter = ['--seccomp', `${filterDescriptor}`];
  const end = ['--chdir', '/', '--remount-ro', '/'];
  return [...alone, ...apart, ...owner, ...files, ...program, ...filter, ...end];
}

/** Where Debian's loader looks without a configuration, which is in /etc. */
const libraries = ['/lib', '/lib64', '/usr/lib', '/usr/lib64'];

const readOnly = (path: string, inside: string) => ['--ro-bind', path, inside];

/** From within: a size of zero for files would keep bubblewrap from copying the program. */
function limited({ nodeMajor }: SandboxPrograms): readonly string[] {
  const { heapMebibytesMax, cpuSeconds, openFilesMax, tasksMax } = sandboxLimits;
  const dataBytesMax = sandboxLimits.dataBytesMax + codeBytes(nodeMajor);
  return [
    '/prlimit',
    `--cpu=${cpuSeconds}`,
    `--data=${dataBytesMax}`,
    `--nofile=${openFilesMax}`,
    `--nproc=${tasksMax}`,
    '--fsize=0',
    '--core=0',
    '--',
    '/node',
    `--max-old-space-size=${heapMebibytesMax}`,
    '--max-semi-space-size=1',
    '--v8-pool-size=1',
    '/worker.mjs',
  ];
}

/** Up to 22, that range is address space until there is code in it. */
function codeBytes(nodeMajor: number): number {
  return nodeMajor <= 22 ? 0 : sandboxLimits.codeBytesMax;
}
