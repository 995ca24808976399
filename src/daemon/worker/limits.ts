/** What reading documents may cost, and how long a worker that does it lives (invariant 11). */
export const workerLimits = {
  /** At once, over all partitions. */
  workersMax: 8,
  /** More for the first answer of one: its sandbox and its Node may start slowly on a host that is busy. */
  startMsMax: 20_000,
  /** From the request to the answer. */
  parseMsMin: 10_000,
  /**
   * More for each MiB of documents, so that the largest bundle can be read on a slow and busy host: 70 s.
   * One that is ended in the middle is read again, and again in vain. What it burns `cpuSeconds` bounds.
   */
  parseMsPerMebibyte: 6_000,
  /** How long one is kept after its last use. */
  warmMs: 60_000,
  /** One that has read more than this at once has grown above 80 MB, and is not kept. */
  warmCharactersMax: 2 ** 18,
  /**
   * How long one has worked in all before it is replaced: well before the kernel ends it in the
   * middle of a parse, see `cpuSeconds` of `machine/sandbox.ts`.
   */
  workedMsMax: 30_000,
  /** How long a killed one can hold its seat. */
  killGraceMs: 2_000,
  /** How long a partition whose worker has failed waits for the next one. */
  backOff: { attemptsMax: Number.POSITIVE_INFINITY, delayMsMin: 250, delayMsMax: 10_000 },
  /** Of an answer to the largest request; see `answerBytesMax`. */
  answerBytesMax: 32 * 2 ** 20,
  /** Of an answer to the largest request; see `answerBounds`. Far above 20,000 Secondaries. */
  answerValuesMax: 2_000_000,
  answerDepthMax: 40,
  /** Of one document: a thousand names of others, labels, annotations and disks are 2,000. */
  documentValuesMax: 10_000,
  /** As JSON. The longest key that is valid, of a label, has 317. */
  keyBytesMax: 1000,
  /** As JSON. The longest that is valid is an Ignition configuration, in which any byte may become six. */
  textBytesMax: 2 ** 21,
  messageCharactersMax: 1000,
  pathCharactersMax: 500,
  excerptCharactersMax: 500,
} as const;
