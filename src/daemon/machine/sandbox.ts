/**
 * The command line that runs the worker where it can do no harm, for bubblewrap (bwrap(1)): no
 * network, no processes but its own, no file but itself and the libraries that Node loads, nothing
 * that can be written to, no `/proc`, no `/dev`, no `/run` and so no socket of libvirt. Root becomes
 * nobody before bubblewrap runs, so that what the kernel sees outside is nobody, too.
 *
 * What must stay true: nothing in it comes from a tenant, and there is no way to run without it.
 * Rejected: RLIMIT_AS, because Node reserves address space that it never uses; RLIMIT_DATA counts
 * what can really be written to.
 */

/** Debian's `nobody` and `nogroup`. */
const nobody = 65_534;

const sandboxLimits = {
  /** V8's heap: 10 MiB of documents and their answer take some 200. */
  heapMebibytesMax: 256,
  /** Heap, the rest of Node, and the bytes of request and answer. */
  dataBytesMax: 512 * 2 ** 20,
  /** In all its life; it is replaced before, see `workedMsMax`. */
  cpuSeconds: 120,
  openFilesMax: 64,
  /** Node has about eight threads. */
  tasksMax: 64,
} as const;

export interface SandboxPrograms {
  readonly bwrap: string;
  readonly prlimit: string;
  /** Null: this is not root, and bubblewrap alone has to do. */
  readonly setpriv: string | null;
  readonly node: string;
}

/** Of the file descriptor that the worker's program is copied in from, wherever it is kept. */
const programDescriptor = 3;

/** The first is the program to run. */
export function sandboxCommand(programs: SandboxPrograms): readonly [string, ...string[]] {
  const { setpriv, bwrap } = programs;
  const inside = [...bwrapArguments(programs), '--', ...limited()];
  if (setpriv === null) return [bwrap, ...inside];
  const drop = [`--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups'];
  return [setpriv, ...drop, bwrap, ...inside];
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
  return [...alone, ...apart, ...owner, ...files, ...program, '--chdir', '/', '--remount-ro', '/'];
}

/** Where Debian's loader looks without a configuration, which is in /etc. */
const libraries = ['/lib', '/lib64', '/usr/lib', '/usr/lib64'];

const readOnly = (path: string, inside: string) => ['--ro-bind', path, inside];

/** From within: a size of zero for files would keep bubblewrap from copying the program. */
function limited(): readonly string[] {
  const { heapMebibytesMax, dataBytesMax, cpuSeconds, openFilesMax, tasksMax } = sandboxLimits;
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
