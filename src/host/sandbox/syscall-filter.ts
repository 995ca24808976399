/**
 * A filter of system calls: a program for the kernel (seccomp(2), classic BPF) that bubblewrap puts in
 * force just before it runs the one in the sandbox.
 *
 * It is a list of what may be done, so that what no one has thought of, and what a kernel of next
 * year brings, may not: sockets of any family, io_uring, ptrace, keyrings, bpf, namespaces, mounts,
 * other processes. All else is answered as a kernel does that does not have the call (ENOSYS): C
 * libraries, Node and QEMU know how to go on from that, and not how to go on from EPERM. So a Node that
 * wants more than is listed still starts, as it would on an old kernel. Rejected: a list of what may
 * not be done, which is never complete; killing, which makes of each new Node a worker that never
 * starts. A call by the numbers of another processor (32 bits) ends the process.
 */
import type { Problem } from './programs.ts';
import type { AllowedCalls, CallNumbers, GuardedCall } from './syscalls.ts';

export type FilteredProcessor = keyof CallNumbers;

/** As the kernel names them (AUDIT_ARCH_*). */
const processors: { readonly [P in FilteredProcessor]: number } = {
  x64: 0xc000_003e,
  arm64: 0xc000_00b7,
};

export function isFilteredProcessor(name: string): name is FilteredProcessor {
  return Object.hasOwn(processors, name);
}

/** `code` and constant; how many instructions to pass over if it is equal, and if not. */
type Instruction = readonly [code: number, constant: number, ifEqual?: number, ifNot?: number];

const LOAD = 0x20;
const AND = 0x54;
const JUMP_IF_EQUAL = 0x15;
const RETURN = 0x06;

/** Offsets in `struct seccomp_data`. */
const callOffset = 0;
const processorOffset = 4;
const argumentsOffset = 16;
const argumentBytes = 8;

const ENOSYS = 38;
const allow: Instruction = [RETURN, 0x7fff_0000];
const asIfMissing: Instruction = [RETURN, 0x0005_0000 + ENOSYS];
const kill: Instruction = [RETURN, 0x8000_0000];

/** Of a `struct sock_filter`. */
const instructionBytes = 8;

/** For the processor of this machine, as Node calls it. */
export function filterFor(
  processor: string,
  calls: AllowedCalls,
): { readonly bytes: Uint8Array } | Problem {
  if (isFilteredProcessor(processor)) return { bytes: syscallFilter(processor, calls) };
  return { problem: `no filter of system calls is known for this processor: ${processor}` };
}

/** @returns as `bwrap --seccomp` reads it */
export function syscallFilter(processor: FilteredProcessor, calls: AllowedCalls): Uint8Array {
  const program: readonly Instruction[] = [
    [LOAD, processorOffset],
    [JUMP_IF_EQUAL, processors[processor], 1, 0],
    kill,
    [LOAD, callOffset],
    // Calls of the x32 kind have numbers of their own, which are not in the list.
    ...calls.plain.flatMap((call) => plainRule(call[processor])),
    ...calls.guarded.flatMap((call) => guardedRule(call[processor], call)),
    asIfMissing,
  ];
  const bytes = Buffer.alloc(program.length * instructionBytes);
  for (const [index, instruction] of program.entries()) {
    write(bytes, index * instructionBytes, instruction);
  }
  return bytes;
}

function plainRule(number: number | null): readonly Instruction[] {
  return number === null ? [] : [[JUMP_IF_EQUAL, number, 0, 1], allow];
}

/** Only the low half of the argument is looked at, as the kernel does with all of these. */
function guardedRule(
  number: number | null,
  { argument, mask, values }: GuardedCall,
): readonly Instruction[] {
  if (number === null) return [];
  const rule: readonly Instruction[] = [
    [LOAD, argumentsOffset + argument * argumentBytes],
    [AND, mask],
    ...values.flatMap((value): Instruction[] => [[JUMP_IF_EQUAL, value, 0, 1], allow]),
    asIfMissing,
  ];
  return [[JUMP_IF_EQUAL, number, 0, rule.length], ...rule];
}

/** Little-endian, as both processors are. */
function write(bytes: Buffer, at: number, [code, constant, ifEqual = 0, ifNot = 0]: Instruction) {
  bytes.writeUInt16LE(code, at);
  bytes.writeUInt8(ifEqual, at + 2);
  bytes.writeUInt8(ifNot, at + 3);
  bytes.writeUInt32LE(constant, at + 4);
}
