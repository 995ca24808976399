/** What is said of partitions that do not fit their host: to themselves, and with names to the operator. */
import type { Block, BlockCode } from '../diff/change.ts';
import { formatApproximately } from '../model/sizes.ts';
import type { Conflict, ConflictKind } from '../partition/host-conflict.ts';
import { type HostSum, overPromised } from '../report/host-sum.ts';

/** As mistakes in the partitions' folder are told. */
export interface HostProblem {
  /** Whose description it is; empty: nobody's. */
  readonly file: string;
  readonly code: BlockCode | 'NotStored';
  readonly message: string;
}

const codeOf: { readonly [Kind in ConflictKind]: BlockCode } = {
  vcpus: 'HostOvercommitted',
  memoryBytes: 'HostOvercommitted',
  cpuset: 'HostOvercommitted',
  subnet: 'SubnetTaken',
  interface: 'SubnetTaken',
  unknown: 'HostUnknown',
};

/**
 * What the partition itself is told: a tenant may read it, so that it names nobody else and says of the
 * host only that it has no room. What is known counts more than what is not.
 */
export function fitBlock(conflicts: readonly Conflict[]): Block {
  const message = [...new Set(conflicts.map(ownWords))].join('; ');
  return { code: codeFor(conflicts), message };
}

function codeFor(conflicts: readonly Conflict[]): BlockCode {
  const known = conflicts.find(({ kind }) => kind !== 'unknown') ?? conflicts[0];
  return known === undefined ? 'HostUnknown' : codeOf[known.kind];
}

function ownWords({ kind, text }: Conflict): string {
  return kind === 'unknown' ? text : `${noRoomFor[kind]}: ${operatorKnows}`;
}

const operatorKnows = 'the operator is told what to change (`unnest status` on the host)';
const beside = 'beside the other partitions';
const noRoomFor: { readonly [Kind in Exclude<ConflictKind, 'unknown'>]: string } = {
  vcpus: `this host has no room for limits.vcpus ${beside}`,
  memoryBytes: `this host has no room for limits.memory ${beside}`,
  cpuset: 'guarantees.cpuset is not free on this host',
  subnet: 'network.cidr is not free on this host',
  interface: 'network.cidr is not free on this host',
};

/** With everything: who has what, and what would change it. */
function operatorsWords(conflicts: readonly Conflict[]): Pick<HostProblem, 'code' | 'message'> {
  return { code: codeFor(conflicts), message: conflicts.map(({ text }) => text).join('; ') };
}

/** @param why it cannot be judged; null: it was not yet */
export function unjudged(why: string | null): Block {
  const so = 'whether it fits its host beside the other partitions is being looked into';
  const message =
    why === null ? so : `what partitions are promised of this host cannot be kept: ${why}`;
  return { code: 'HostUnknown', message };
}

/** @param lost of the file of promises, as far as anything is */
export function hostProblems(
  waiting: readonly { readonly file: string; readonly conflicts: readonly Conflict[] }[],
  sum: HostSum,
  lost: readonly (string | null)[],
): readonly HostProblem[] {
  const over = overPromised(sum).map((name): HostProblem => {
    const { promised, available } = sum[name];
    const [what, show] = shown[name];
    const message = `more ${what} are promised (${show(promised)}) than may be (${show(available ?? 0)}): the host has become smaller, or spec.overcommit was lowered. Nobody is held for it, and nobody gets more until limits are lowered or partitions are gone`;
    return { file: '', code: 'HostOvercommitted', message };
  });
  return [
    ...lost
      .filter((each) => each !== null)
      .map((message) => ({ file: '', code: 'NotStored', message }) as const),
    ...over,
    ...waiting.map(({ file, conflicts }) => ({ file, ...operatorsWords(conflicts) })),
  ];
}

const shown = {
  vcpus: ['vCPUs', String],
  memoryBytes: ['bytes of memory', formatApproximately],
} as const;
