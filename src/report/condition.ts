/**
 * Typed statements about a partition or a Secondary (Kubernetes' conditions): what is so, since
 * when, and which generation of the documents it speaks of.
 */
export const CONDITION_TYPES = [
  'Ready', // it is as its document says, as far as a document can say
  'Synced', // the host has what the documents ask for
  'RestartRequired', // changes wait for the guest's next start
  'Blocked', // something forbids what the documents ask for
  'Paused', // a person has asked for it to be left alone
  'CrashLoop', // its guest ends again and again, so that its next start waits
  'DocumentsValid', // the documents that are there could be accepted
  'AgentConnected', // the Primary's agent can be told, and can tell
  'Accepted', // the accepted documents could be read back whole
  'HostReachable', // the host answers
  'GaveUp', // what fails is no longer tried
  'FitsHost', // the host has room for it beside the other partitions
  'OverBudget', // it has more than its limits allow, so that it gets nothing more
  'PrimaryOutside', // its Primary is not in its slice
  'CpusGuaranteed', // nobody else runs on the CPUs that it has for itself
  'UplinkDiffers', // its network leaves the host by another interface than its Primary
  'OomKilled', // the kernel has killed something in it, as its memory ran out
  'MemoryPressure', // everybody in it waits for memory
  'CpuThrottled', // its guests wait for its limit of CPUs
  'Draining', // the partition is being emptied
] as const;
export type ConditionType = (typeof CONDITION_TYPES)[number];

export type ConditionStatus = 'True' | 'False' | 'Unknown';

export interface Condition {
  readonly type: ConditionType;
  readonly status: ConditionStatus;
  /** One word in CamelCase, closed per type; `unnest explain` knows block codes among them. */
  readonly reason: string;
  /** For people; may be empty. */
  readonly message: string;
  /** Since when `status` is what it is: ISO 8601, UTC. */
  readonly since: string;
  /** Of the documents that it speaks of; 0: none were accepted yet. */
  readonly generation: number;
}

/** Some messages repeat what the host or a document says, and a status has thousands of them. */
const messageCharactersMax = 1024;

/** What a condition is to say; since when, is found out by comparing with what was said before. */
export type Statement = Omit<Condition, 'since' | 'generation'>;

/**
 * Keeps `since` where the status of a type has not changed, and cuts long messages.
 * @param at ISO 8601, UTC
 */
export function conditionsFrom(
  statements: readonly Statement[],
  before: readonly Condition[],
  at: string,
  generation: number,
): readonly Condition[] {
  const earlier = new Map(before.map((condition) => [condition.type, condition]));
  return statements.map((statement) => {
    const known = earlier.get(statement.type);
    const since = known?.status === statement.status ? known.since : at;
    return { ...statement, message: shortened(statement.message), since, generation };
  });
}

/** Never in the middle of a character. */
function shortened(message: string): string {
  if (message.length <= messageCharactersMax) return message;
  return `${message.slice(0, messageCharactersMax - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
