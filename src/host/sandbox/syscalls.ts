/**
 * The system calls that programs in a sandbox may make, by their numbers on each processor: what Node
 * 20, 22 and 24 were seen to call while they start and read documents (strace), what qemu-img 7.2 was
 * while it reads and writes disks, and what C libraries may call in the place of one of these. Numbers
 * never change; null: this processor has no such call.
 */
export interface CallNumbers {
  readonly x64: number | null;
  readonly arm64: number | null;
}

/** A call that may be made if one of its arguments, of 32 bits, is as said. */
export interface GuardedCall extends CallNumbers {
  /** From 0. */
  readonly argument: number;
  /** Of the bits that count. */
  readonly mask: number;
  readonly values: readonly number[];
}

export interface AllowedCalls {
  readonly plain: readonly CallNumbers[];
  readonly guarded: readonly GuardedCall[];
}

/** Of each, its number on x64 and on arm64. */
type Listed = readonly (readonly [name: string, x64: number, arm64: number | null])[];

const plain: Listed = [
  // Reading and writing what is open, and opening what there is to read.
  ['read', 0, 63],
  ['write', 1, 64],
  ['readv', 19, 65],
  ['writev', 20, 66],
  ['pread64', 17, 67],
  ['close', 3, 57],
  ['close_range', 436, 436],
  ['open', 2, null],
  ['openat', 257, 56],
  ['access', 21, null],
  ['faccessat', 269, 48],
  ['faccessat2', 439, 439],
  ['stat', 4, null],
  ['lstat', 6, null],
  ['fstat', 5, 80],
  ['newfstatat', 262, 79],
  ['statx', 332, 291],
  ['lseek', 8, 62],
  ['readlink', 89, null],
  ['readlinkat', 267, 78],
  ['getdents64', 217, 61],
  ['getcwd', 79, 17],
  ['fcntl', 72, 25],
  ['dup', 32, 23],
  ['dup2', 33, null],
  ['dup3', 292, 24],
  // Waiting for pipes: Node's are sockets, which are looked at and ended but never made.
  ['pipe', 22, null],
  ['pipe2', 293, 59],
  ['eventfd2', 290, 19],
  ['epoll_create1', 291, 20],
  ['epoll_ctl', 233, 21],
  ['epoll_wait', 232, null],
  ['epoll_pwait', 281, 22],
  ['epoll_pwait2', 441, 441],
  ['poll', 7, null],
  ['ppoll', 271, 73],
  ['getsockopt', 55, 209],
  ['getsockname', 51, 204],
  ['getpeername', 52, 205],
  ['shutdown', 48, 210],
  // Memory.
  ['mmap', 9, 222],
  ['munmap', 11, 215],
  ['mremap', 25, 216],
  ['mprotect', 10, 226],
  ['madvise', 28, 233],
  ['brk', 12, 214],
  ['membarrier', 324, 283],
  // Threads and time.
  ['futex', 202, 98],
  ['set_robust_list', 273, 99],
  ['get_robust_list', 274, 100],
  ['rseq', 334, 293],
  ['set_tid_address', 218, 96],
  ['arch_prctl', 158, null],
  ['gettid', 186, 178],
  ['sched_yield', 24, 124],
  ['sched_getaffinity', 204, 123],
  ['sched_getparam', 143, 121],
  ['sched_getscheduler', 145, 120],
  ['getpriority', 140, 141],
  ['getcpu', 309, 168],
  ['clock_gettime', 228, 113],
  ['clock_getres', 229, 114],
  ['clock_nanosleep', 230, 115],
  ['nanosleep', 35, 101],
  ['gettimeofday', 96, 169],
  ['time', 201, null],
  ['restart_syscall', 219, 128],
  // Signals, to itself only.
  ['rt_sigaction', 13, 134],
  ['rt_sigprocmask', 14, 135],
  ['rt_sigreturn', 15, 139],
  ['rt_sigpending', 127, 136],
  ['sigaltstack', 131, 132],
  ['tgkill', 234, 131],
  // What it is, and where.
  ['getpid', 39, 172],
  ['getppid', 110, 173],
  ['getuid', 102, 174],
  ['geteuid', 107, 175],
  ['getgid', 104, 176],
  ['getegid', 108, 177],
  ['getgroups', 115, 158],
  ['getresuid', 118, 148],
  ['getresgid', 120, 150],
  ['getpgrp', 111, null],
  ['getsid', 124, 156],
  ['capget', 125, 90],
  ['uname', 63, 160],
  ['sysinfo', 99, 179],
  ['getrusage', 98, 165],
  ['times', 100, 153],
  ['getrandom', 318, 278],
  // Limits that only sink, Node in the place of prlimit, and the end, which bubblewrap waits for.
  ['prlimit64', 302, 261],
  ['getrlimit', 97, 163],
  ['execve', 59, 221],
  ['wait4', 61, 260],
  ['exit', 60, 93],
  ['exit_group', 231, 94],
];

/** Writing to a disk at any place of it, and being told of a signal. */
const disk: Listed = [
  ['preadv', 295, 69],
  ['pwrite64', 18, 68],
  ['pwritev', 296, 70],
  ['fallocate', 285, 47],
  ['ftruncate', 77, 46],
  ['fdatasync', 75, 83],
  ['fsync', 74, 82],
  ['fstatfs', 138, 44],
  ['signalfd4', 289, 74],
];

const CLONE_THREAD = 0x1_0000;
/** Every CLONE_NEW* that `clone` takes. */
const CLONE_NEW = 0x7e02_0000;
const allBits = 0xffff_ffff;

const guarded: readonly GuardedCall[] = [
  // clone: a thread, never another process, and in no namespace of its own. clone3 has its flags in
  // memory, where they cannot be looked at; C libraries go on with this one.
  { x64: 56, arm64: 220, argument: 0, mask: CLONE_THREAD + CLONE_NEW, values: [CLONE_THREAD] },
  // ioctl: TCGETS and TIOCGWINSZ (whether this is a terminal), FIONREAD, FIONBIO, FIOCLEX.
  {
    x64: 16,
    arm64: 29,
    argument: 1,
    mask: allBits,
    values: [0x5401, 0x5413, 0x541b, 0x5421, 0x5451],
  },
  // prctl: PR_SET_NAME and PR_GET_NAME of threads, PR_SET_VMA for names of memory.
  { x64: 157, arm64: 167, argument: 0, mask: allBits, values: [15, 16, 0x5356_4d41] },
];

const numbersOf = (listed: Listed): readonly CallNumbers[] =>
  listed.map(([, x64, arm64]) => ({ x64, arm64 }));

/** Of what reads documents. */
export const workerCalls: AllowedCalls = { plain: numbersOf(plain), guarded };
/** Of what reads and writes disks. */
export const imageToolCalls: AllowedCalls = { plain: numbersOf([...plain, ...disk]), guarded };
