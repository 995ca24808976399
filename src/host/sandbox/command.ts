/**
 * The command line that runs a program where it can do no harm, for bubblewrap (bwrap(1)): no network,
 * no processes but its own, no file but those that are named and the libraries that it loads, no
 * `/proc`, no `/run` and so no socket of libvirt, no system call but those of its filter. Root becomes
 * nobody before bubblewrap runs, so that what the kernel sees outside is nobody, too. When memory
 * runs short, what runs here goes first.
 *
 * What must stay true: there is no way to run without it. bubblewrap waits for the filter, which is
 * handed in only when the program has been seen where its partition pays for it. The filter lets it
 * start threads and nothing else, so that the limits, which are of one process, are those of all of it.
 * Rejected: RLIMIT_AS, as Node and QEMU reserve address space that they never use; RLIMIT_DATA counts
 * what can really be written to. Not done yet: a user for each partition instead of nobody, whom other
 * programs of the host may run as, too.
 */

/** Debian's `nobody` and `nogroup`. */
export const NOBODY = 65_534;

export interface SandboxPrograms {
  readonly bwrap: string;
  readonly prlimit: string;
  readonly choom: string;
  /** Null: this is not root, and bubblewrap alone has to do. */
  readonly setpriv: string | null;
}

export interface SandboxLimits {
  /** In all its life. */
  readonly cpuSeconds: number;
  readonly dataBytesMax: number;
  readonly openFilesMax: number;
  /** Of the first thread, and of each other that does not say otherwise. As the kernel has it if it is not said. */
  readonly stackBytesMax?: number;
  readonly tasksMax: number;
  /** How long each file that it writes may become. */
  readonly fileBytesMax: number;
}

export interface Sandbox {
  /** What is there besides libraries, as bubblewrap's own arguments. */
  readonly files: readonly string[];
  readonly limits: SandboxLimits;
  /** What runs, as it is called within. */
  readonly command: readonly string[];
}

/** Of the file descriptor that the filter of system calls comes through. */
export const filterDescriptor = 4;
/** The highest that there is. */
const oomScore = 1000;

/** The first is the program to run. @param launcher what is to run all of it, if anything is */
export function sandboxCommand(
  programs: SandboxPrograms,
  sandbox: Sandbox,
  launcher: readonly string[] = [],
): readonly string[] {
  const { choom, setpriv, bwrap } = programs;
  const first = [...launcher, choom, `--adjust=${oomScore}`, '--'];
  const inside = [...bwrapArguments(programs, sandbox.files), '--', ...limited(sandbox)];
  if (setpriv === null) return [...first, bwrap, ...inside];
  const drop = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
  return [...first, setpriv, ...drop, bwrap, ...inside];
}

function bwrapArguments({ prlimit }: SandboxPrograms, files: readonly string[]): readonly string[] {
  const alone = ['--unshare-all', '--unshare-user', '--disable-userns', '--cap-drop', 'ALL'];
  const apart = ['--die-with-parent', '--new-session', '--clearenv'];
  const owner = ['--uid', `${NOBODY}`, '--gid', `${NOBODY}`];
  const always = [
    ...libraries.flatMap((folder) => ['--ro-bind-try', folder, folder]),
    ...readOnly(prlimit, '/prlimit'),
  ];
  const filter = ['--seccomp', `${filterDescriptor}`];
  const end = ['--chdir', '/', '--remount-ro', '/'];
  return [...alone, ...apart, ...owner, ...always, ...files, ...filter, ...end];
}

/** Where Debian's loader looks without a configuration, which is in /etc. */
const libraries = ['/lib', '/lib64', '/usr/lib', '/usr/lib64'];

/** A file or folder of the host that can be read there. */
export const readOnly = (path: string, inside: string): readonly string[] => [
  '--ro-bind',
  path,
  inside,
];

/** From within: a size of zero for files would keep bubblewrap from copying a program in. */
function limited({ limits, command }: Sandbox): readonly string[] {
  return [
    '/prlimit',
    // First with a signal that says why, and then with one that cannot be ignored.
    `--cpu=${limits.cpuSeconds}:${limits.cpuSeconds + 1}`,
    `--data=${limits.dataBytesMax}`,
    ...(limits.stackBytesMax === undefined ? [] : [`--stack=${limits.stackBytesMax}`]),
    `--nofile=${limits.openFilesMax}`,
    `--nproc=${limits.tasksMax}`,
    `--fsize=${limits.fileBytesMax}`,
    '--core=0',
    '--',
    ...command,
  ];
}
